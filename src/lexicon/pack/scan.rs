//! Every surface of a pack in a text.
//!
//! The keys are sorted, so those that begin with the text at one place stand together; each next
//! character narrows their range. No automaton has to be read or built: a pack is used in place.

use super::Pack;

impl Pack {
    /// Every occurrence, also overlapping ones, of every surface in `lowercase`, a text with its
    /// ASCII letters in lower case: first byte, one past the last, surface. O(n × log surfaces) for
    /// a report, whose places each go on for a few characters.
    pub fn find_all<'p>(&'p self, lowercase: &'p str) -> impl Iterator<Item = (usize, usize, u32)> + 'p {
        lowercase.char_indices().flat_map(move |(start, c)| {
            let (low, high) = self.range_of_first(c);
            Prefixes {
                pack: self,
                text: &lowercase[start..],
                depth: c.len_utf8(),
                low,
                high,
            }
            .map(move |(len, surface)| (start, start + len, surface))
        })
    }
}

/// The surfaces that a text begins with, shortest first.
struct Prefixes<'p> {
    pack: &'p Pack,
    text: &'p str,
    /// All keys from `low` to `high` agree with the text in so many bytes.
    depth: usize,
    low: u32,
    high: u32,
}

impl Iterator for Prefixes<'_> {
    type Item = (usize, u32);

    fn next(&mut self) -> Option<Self::Item> {
        while self.low < self.high {
            // One key left: compare it whole.
            if self.high - self.low == 1 {
                let surface = self.low;
                self.low = self.high;
                let key = self.pack.key(surface);
                return self.text.starts_with(key).then_some((key.len(), surface));
            }
            // Of keys that agree so far, the one that ends here is the least.
            let surface = self.low;
            let ends_here = self.pack.key(surface).len() == self.depth;
            if ends_here {
                self.low += 1;
            }
            self.narrow();
            if ends_here {
                // `narrow` has moved on to the next character; the match ended before it.
                return Some((self.pack.key(surface).len(), surface));
            }
        }
        None
    }
}

impl Prefixes<'_> {
    /// Goes on by the text's next character.
    fn narrow(&mut self) {
        let Some(c) = self.text[self.depth..].chars().next() else {
            self.low = self.high;
            return;
        };
        let (from, to) = (self.depth, self.depth + c.len_utf8());
        let wanted = &self.text.as_bytes()[from..to];
        let part = |surface: u32| {
            let key = self.pack.key(surface).as_bytes();
            &key[from.min(key.len())..to.min(key.len())]
        };
        let bound = |mut low: u32, mut high: u32, before: &dyn Fn(&[u8]) -> bool| {
            while low < high {
                let middle = low + (high - low) / 2;
                if before(part(middle)) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let low = bound(self.low, self.high, &|part| part < wanted);
        let high = bound(low, self.high, &|part| part <= wanted);
        (self.low, self.high, self.depth) = (low, high, to);
    }
}
