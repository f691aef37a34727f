//! Groups of vectors that are nearly the same: the connected components of the pairs that are close (single linkage), found
//! with a union-find structure.

use super::{Index, argument};
use crate::Result;
use crate::kernels::{Pair, PairScan};

/// What makes two vectors close.
#[derive(Debug, Clone)]
pub struct Closeness {
    /// Their cosine is at least this.
    pub threshold: f32,
    /// And their times, a number for each row in whatever unit, are at most so far apart. A row whose time is not a number is
    /// close to none.
    pub burst: Option<(Vec<f64>, f64)>,
}

/// A search for groups, step by step. The index stays as it is meanwhile.
#[derive(Debug, Clone)]
pub struct GroupScan {
    pairs: Pairs,
    threshold: f32,
    sets: DisjointSets,
}

#[derive(Debug, Clone)]
enum Pairs {
    /// All of them.
    All(PairScan),
    /// Those near in time: rows in its order, and the next that is to be compared with those after it.
    Near { rows: Vec<u32>, times: Vec<f64>, within: f64, next: usize },
}

/// Rows of a step where times tell which are to be compared.
const STEP: usize = 1024;

impl GroupScan {
    /// Begins to look for groups of `index`.
    ///
    /// # Errors
    /// `ArgumentInvalid`: a number is out of range, or there is not a time for each row.
    pub fn new(index: &Index, close: Closeness) -> Result<Self> {
        let Closeness { threshold, burst } = close;
        if !(-1.0..=1.0).contains(&threshold) {
            return Err(argument("The threshold must be a cosine, from -1 to 1.".to_owned()));
        }
        let pairs = match burst {
            None => Pairs::All(PairScan::new(&index.vectors, threshold)),
            Some((times, within)) => {
                if times.len() != index.len() || within.is_nan() || within < 0.0 {
                    let message =
                        "A burst needs a time for each vector, and a length of time that is not negative.";
                    return Err(argument(message.to_owned()));
                }
                let mut rows: Vec<u32> =
                    (0..times.len() as u32).filter(|&row| times[row as usize].is_finite()).collect();
                rows.sort_by(|&a, &b| times[a as usize].total_cmp(&times[b as usize]));
                Pairs::Near { rows, times, within, next: 0 }
            }
        };
        Ok(Self { pairs, threshold, sets: DisjointSets::new(index.len()) })
    }

    /// Compares a few more vectors with all others. Returns how many are left.
    ///
    /// # Errors
    /// `ArgumentInvalid`: the index has changed since the search began.
    pub fn step(&mut self, index: &Index) -> Result<usize> {
        let Self { pairs, threshold, sets } = self;
        if sets.parents.len() != index.len() {
            return Err(argument("The index has changed while groups were looked for.".to_owned()));
        }
        Ok(match pairs {
            Pairs::All(scan) => {
                scan.step(&index.vectors, |Pair { first, second, .. }| sets.join(first, second));
                index.len() - scan.done()
            }
            Pairs::Near { rows, times, within, next } => {
                let end = rows.len().min(*next + STEP);
                for place in *next..end {
                    let first = rows[place] as usize;
                    let near = |&&row: &&u32| times[row as usize] - times[first] <= *within;
                    for &second in rows[place + 1..].iter().take_while(near) {
                        let second = second as usize;
                        if !sets.joined(first, second) && index.vectors.product(first, second) >= *threshold {
                            sets.join(first, second);
                        }
                    }
                }
                *next = end;
                rows.len() - end
            }
        })
    }

    /// The groups found so far, of two rows and more; in each the rows in their order, and the groups in the order of their
    /// first.
    pub fn groups(&mut self) -> Vec<Vec<usize>> {
        let count = self.sets.parents.len();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of = vec![usize::MAX; count];
        for row in 0..count {
            let root = self.sets.root(row);
            if group_of[root] == usize::MAX {
                group_of[root] = groups.len();
                groups.push(Vec::new());
            }
            groups[group_of[root]].push(row);
        }
        groups.retain(|group| group.len() > 1);
        groups
    }
}

/// Union-find, with union by size and path halving (R. Tarjan and J. van Leeuwen, 1984).
#[derive(Debug, Clone)]
struct DisjointSets {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl DisjointSets {
    fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).collect(), sizes: vec![1; count] }
    }

    fn root(&mut self, row: usize) -> usize {
        let mut row = row as u32;
        while self.parents[row as usize] != row {
            let grandparent = self.parents[self.parents[row as usize] as usize];
            self.parents[row as usize] = grandparent;
            row = grandparent;
        }
        row as usize
    }

    fn joined(&mut self, a: usize, b: usize) -> bool {
        self.root(a) == self.root(b)
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (large, small) = if self.sizes[a] >= self.sizes[b] { (a, b) } else { (b, a) };
        self.parents[small] = large as u32;
        self.sizes[large] += self.sizes[small];
    }
}
