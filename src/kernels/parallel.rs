//! Loops over several threads where there are any.
//!
//! With the feature `threads` the work goes to rayon's pool; without it, or with a pool of one, everything
//! runs where it is called. The answers are the same to the last bit: threads divide rows and columns, never
//! a sum.
//!
//! A layer is a dozen such loops, some of them shorter than the time that a browser takes to wake a thread. So threads
//! that have nothing to do look for work for a while before they go to sleep.

use std::marker::PhantomData;
use std::ops::Range;

/// Calls `work` with ranges that together are `0..count`, each once. No range is shorter than `grain`, unless
/// it is the only one: below that, handing out work costs more than it saves.
pub(super) fn ranges(count: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
    #[cfg(feature = "threads")]
    {
        // What Miri has the time for is too little for several threads, and they are what it is to look at.
        let grain = if cfg!(miri) { 1 } else { grain };
        let threads = rayon::current_num_threads();
        // A few parts for each thread, so that one that is late does not hold up the rest.
        let parts = (count / grain.max(1)).min(4 * threads);
        if threads > 1 && parts > 1 {
            let (whole, more) = (count / parts, count % parts);
            threaded::run(threads, parts, |part| {
                let begin = part * whole + part.min(more);
                work(begin..begin + whole + usize::from(part < more));
            });
            return;
        }
    }
    let _ = grain;
    if count > 0 {
        work(0..count);
    }
}

/// Threads that there are.
pub(super) fn threads() -> usize {
    #[cfg(feature = "threads")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    1
}

#[cfg(feature = "threads")]
mod threaded {
    use std::hint::spin_loop;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often a thread that has nothing to do looks for work: for about half a millisecond in a native build.
    /// An interpreter that checks every step would spend its hours here.
    const LOOKS: usize = if cfg!(miri) { 20 } else { 10_000 };

    /// Threads that look for work, and do not sleep.
    static AWAKE: AtomicUsize = AtomicUsize::new(0);

    /// Calls `work` with each number below `parts`, on up to `threads` threads.
    pub(super) fn run(threads: usize, parts: usize, work: impl Fn(usize) + Sync) {
        keep_awake();
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let take = || {
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    break;
                }
                work(part);
            }
        };
        let others = threads.min(parts) - 1;
        rayon::scope(|scope| {
            for _ in 0..others {
                scope.spawn(|_| {
                    take();
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
            take();
            // The others have at most one part left, which ends sooner than this thread could fall asleep and be woken.
            look(|| done.load(Ordering::Relaxed) == others);
        });
    }

    /// Lets the other threads look for work until there has been none for a while.
    fn keep_awake() {
        let caller = rayon::current_thread_index();
        let others = rayon::current_num_threads() - usize::from(caller.is_some());
        if AWAKE.compare_exchange(0, others, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            rayon::spawn_broadcast(move |thread| {
                if caller != Some(thread.index()) {
                    look(|| false);
                    AWAKE.fetch_sub(1, Ordering::Relaxed);
                }
            });
        }
    }

    /// Does what work there is, until `enough` or there has been none for a while.
    fn look(enough: impl Fn() -> bool) {
        let mut looks = 0;
        while looks < LOOKS && !enough() {
            match rayon::yield_now() {
                Some(rayon::Yield::Executed) => looks = 0,
                _ => looks += 1,
            }
            spin_loop();
        }
    }
}

/// Numbers that several threads write to, each its own part.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a, T> {
    begin: *mut T,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: the only way to the numbers is `slice` and `pointer`, whose callers keep the parts apart.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(super) fn new(values: &'a mut [T]) -> Self {
        Self { begin: values.as_mut_ptr(), len: values.len(), owner: PhantomData }
    }

    /// `count` values from `begin` on.
    ///
    /// # Safety
    /// Nobody else reads or writes these values while the slice lives.
    pub(super) unsafe fn slice(&self, begin: usize, count: usize) -> &'a mut [T] {
        assert!(begin <= self.len && count <= self.len - begin, "a part outside of the whole");
        // SAFETY: within the slice that `new` was given; unshared by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.begin.add(begin), count) }
    }

    /// Sets one value.
    ///
    /// # Safety
    /// Nobody else reads or writes it meanwhile.
    pub(super) unsafe fn set(&self, index: usize, value: T) {
        assert!(index < self.len, "a place outside of the whole");
        // SAFETY: within the slice that `new` was given; unshared by the caller's promise.
        unsafe { *self.begin.add(index) = value }
    }
}
