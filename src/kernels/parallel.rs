//! Loops over several threads where there are any.
//!
//! With the feature `threads` the work goes to rayon's pool; without it, or with a pool of one, everything
//! runs where it is called. The answers are the same to the last bit: threads divide rows and columns, never
//! a sum.

use std::marker::PhantomData;
use std::ops::Range;

/// Calls `work` with ranges that together are `0..count`, each once. No range is shorter than `grain`, unless
/// it is the only one: below that, handing out work costs more than it saves.
pub(super) fn ranges(count: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
    #[cfg(feature = "threads")]
    {
        let threads = rayon::current_num_threads();
        // A few parts for each thread, so that one that is late does not hold up the rest.
        let parts = (count / grain.max(1)).min(4 * threads);
        if threads > 1 && parts > 1 {
            let (whole, more) = (count / parts, count % parts);
            rayon::scope(|scope| {
                let mut begin = 0;
                for part in 0..parts {
                    let end = begin + whole + usize::from(part < more);
                    let work = &work;
                    scope.spawn(move |_| work(begin..end));
                    begin = end;
                }
            });
            return;
        }
    }
    let _ = grain;
    if count > 0 {
        work(0..count);
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
