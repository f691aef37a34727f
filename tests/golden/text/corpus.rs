//! The strings of corpus.py, from the same tables by the same steps.

use serde::Deserialize;

/// First and last code point.
pub type Ranges = Vec<(u32, u32)>;

/// corpus.json
#[derive(Deserialize)]
pub struct Tables {
    /// [`fnv1a`] of all strings, the byte 255 after each.
    pub hash: u32,
    seed: u32,
    count: usize,
    /// Name and code points.
    pub scripts: Vec<(String, Ranges)>,
    pub emoji: Ranges,
    emoji_tails: Ranges,
    pub marks: Ranges,
    pub controls: Ranges,
    pub spaces: Ranges,
    punctuation: Ranges,
    digits: Ranges,
    words: Vec<String>,
    syllables: Vec<String>,
    endings: Vec<String>,
    specials: Vec<String>,
}

impl Tables {
    pub fn strings(&self) -> Vec<String> {
        let mut corpus = Corpus { tables: self, state: self.seed };
        (0..self.count).map(|_| corpus.string()).collect()
    }
}

struct Corpus<'a> {
    tables: &'a Tables,
    state: u32,
}

impl<'a> Corpus<'a> {
    /// xorshift32.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state as usize % limit
    }

    fn pick<T>(&mut self, table: &'a [T]) -> &'a T {
        &table[self.below(table.len())]
    }

    fn one_of(&mut self, ranges: &'a [(u32, u32)]) -> char {
        let &(first, last) = self.pick(ranges);
        char::from_u32(first + self.below((last - first + 1) as usize) as u32).unwrap()
    }

    fn run(&mut self, ranges: &'a [(u32, u32)], longest: usize) -> String {
        let length = 1 + self.below(longest);
        (0..length).map(|_| self.one_of(ranges)).collect()
    }

    fn script(&mut self) -> &'a [(u32, u32)] {
        &self.pick(&self.tables.scripts).1
    }

    fn string(&mut self) -> String {
        let mut text = if self.below(8) == 0 { self.separator() } else { String::new() };
        for _ in 0..1 + self.below(6) {
            text += &self.piece();
            text += &self.separator();
        }
        text
    }

    fn separator(&mut self) -> String {
        match self.below(5) {
            0..3 => " ".to_owned(),
            3 => String::new(),
            _ => self.run(&self.tables.spaces, 3),
        }
    }

    fn piece(&mut self) -> String {
        let tables = self.tables;
        match self.below(19) {
            0..3 => self.pick(&tables.words).clone(),
            3 => self.mixed_case(),
            4 => self.pick(&tables.words).clone() + self.pick(&tables.endings).as_str(),
            5..8 => {
                let script = self.script();
                self.run(script, 12)
            }
            8 => self.run(&tables.digits, 8),
            9 => self.run(&tables.punctuation, 6),
            10 => self.repeated(&tables.punctuation, 1, 9),
            11 => self.emoji(),
            12 => self.accented(),
            13 => self.run(&tables.controls, 3),
            14 => self.any(),
            16.. => self.coined(4),
            _ if self.below(2) == 0 => self.long(),
            _ => self.pick(&tables.specials).clone(),
        }
    }

    /// One character, `least` times or up to `spread - 1` times more.
    fn repeated(&mut self, ranges: &'a [(u32, u32)], least: usize, spread: usize) -> String {
        let character = self.one_of(ranges).to_string();
        character.repeat(least + self.below(spread))
    }

    /// A word with the case of some of its ASCII letters changed.
    fn mixed_case(&mut self) -> String {
        let word = self.pick(&self.tables.words);
        let flip = |letter: char| {
            let flips = self.below(2) == 1 && letter.is_ascii_alphabetic();
            if flips { char::from(letter as u8 ^ 0x20) } else { letter }
        };
        word.chars().map(flip).collect()
    }

    fn coined(&mut self, longest: usize) -> String {
        let length = 1 + self.below(longest);
        (0..length).map(|_| self.pick(&self.tables.syllables).as_str()).collect()
    }

    fn emoji(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..1 + self.below(4) {
            text.push(self.one_of(&self.tables.emoji));
            for _ in 0..self.below(3) {
                text.push(self.one_of(&self.tables.emoji_tails));
            }
        }
        text
    }

    /// Letters with marks above, below and out of order.
    fn accented(&mut self) -> String {
        let (script, mut text) = (self.script(), String::new());
        for _ in 0..1 + self.below(4) {
            text.push(self.one_of(script));
            text += &self.run(&self.tables.marks, 4);
        }
        text
    }

    /// Any characters at all: every scalar value.
    fn any(&mut self) -> String {
        let length = 1 + self.below(4);
        let mut scalar = || {
            let code = self.below(0x11_0000 - 0x800) as u32;
            char::from_u32(if code < 0xd800 { code } else { code + 0x800 }).unwrap()
        };
        (0..length).map(|_| scalar()).collect()
    }

    /// A word that no dictionary holds: a run of one script, syllables, a word again and again, or one letter.
    fn long(&mut self) -> String {
        let (kind, length) = (self.below(4), 40 + self.below(360));
        match kind {
            0 => {
                let script = self.script();
                self.run(script, length)
            }
            1 => self.pick(&self.tables.words).repeat(1 + length / 10),
            3 => self.coined(length / 2),
            _ => {
                let script = self.script();
                self.one_of(script).to_string().repeat(length)
            }
        }
    }
}

/// 32 bits, as <http://www.isthe.com/chongo/tech/comp/fnv/> defines them.
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes.into_iter().fold(0x811c_9dc5, |value, byte| (value ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
