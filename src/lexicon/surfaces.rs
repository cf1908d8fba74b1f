//! Surface form → its index, whatever the case of its Latin letters.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Surface;

/// Indices of surfaces by their text. It holds no text of its own, so that it is quickly made.
#[derive(Clone)]
pub(super) struct SurfaceIndex {
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl SurfaceIndex {
    /// O(total length).
    pub fn new(surfaces: &[Surface]) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut table = HashTable::with_capacity(surfaces.len());
        for (index, surface) in surfaces.iter().enumerate() {
            // A lexicon's surfaces are distinct, so none is there yet.
            table.insert_unique(hash(&hasher, &surface.text), index as u32, |&other| {
                hash(&hasher, &surfaces[other as usize].text)
            });
        }
        SurfaceIndex { table, hasher }
    }

    /// The surface of this text. O(length).
    pub fn get(&self, text: &str, surfaces: &[Surface]) -> Option<u32> {
        let is_it = |&index: &u32| surfaces[index as usize].text.eq_ignore_ascii_case(text);
        self.table.find(hash(&self.hasher, text), is_it).copied()
    }
}

/// The hash of a text in lower case, without a copy of it.
fn hash(builder: &DefaultHashBuilder, text: &str) -> u64 {
    const BLOCK: usize = 32;
    let mut hasher = builder.build_hasher();
    for bytes in text.as_bytes().chunks(BLOCK) {
        let mut block = [0; BLOCK];
        let block = &mut block[..bytes.len()];
        block.copy_from_slice(bytes);
        block.make_ascii_lowercase();
        hasher.write(block);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_surface_in_any_case() {
        let long = "長い名前の疾患".repeat(9) + "Type-II";
        let surfaces: Vec<Surface> = ["CRP", "crp2", "発熱", "", &long]
            .into_iter()
            .map(|text| Surface {
                text: text.to_owned(),
                concepts: Vec::new(),
            })
            .collect();
        let index = SurfaceIndex::new(&surfaces);
        for (number, surface) in surfaces.iter().enumerate() {
            assert_eq!(index.get(&surface.text, &surfaces), Some(number as u32));
            assert_eq!(
                index.get(&surface.text.to_ascii_lowercase(), &surfaces),
                Some(number as u32)
            );
        }
        assert_eq!(index.get("cRp", &surfaces), Some(0));
        assert_eq!(index.get("発", &surfaces), None);
    }
}
