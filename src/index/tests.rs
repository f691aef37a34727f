#![allow(clippy::unwrap_used)]

use super::*;

fn name() -> ModelName {
    ModelName::new("ocelli", "main", "int8").unwrap()
}

/// Numbers from -1 to 1, the same in each run.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = 0x9e37_79b9u32.wrapping_mul(2 * seed + 1);
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..count).map(next).collect()
}

fn filled(count: usize, width: usize) -> Index {
    let ids: Vec<String> = (0..count).map(|row| format!("photos/{row}.jpg")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut index = Index::new(name(), width).unwrap();
    index.add(&ids, &noise(count * width, 1)).unwrap();
    index
}

/// All rows by their cosine with the query, the plain way, in f64 on what is kept.
fn ranked(index: &Index, query: &[f32]) -> Vec<(usize, f64)> {
    let length = query.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let cosine = |row| {
        index.vector(row).iter().zip(query).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / length
    };
    let mut all: Vec<(usize, f64)> = (0..index.len()).map(|row| (row, cosine(row))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

fn file(index: &Index) -> Vec<u8> {
    let mut file = Vec::new();
    index
        .write(|piece| -> std::result::Result<(), ()> {
            file.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    file
}

fn read(file: &[u8], chunk: usize) -> Result<Index> {
    let mut reader = IndexReader::new();
    file.chunks(chunk).try_for_each(|piece| reader.push(piece))?;
    reader.finish()
}

fn assert_same(a: &Index, b: &Index) {
    assert_eq!((a.model(), a.len(), a.width()), (b.model(), b.len(), b.width()));
    for row in 0..a.len() {
        assert_eq!((a.id(row), a.vectors.row(row)), (b.id(row), b.vectors.row(row)));
        assert_eq!(b.row(a.id(row)), Some(row));
    }
    assert_eq!(a.background.len(), b.background.len());
    assert!((0..a.background.len()).all(|row| a.background.row(row) == b.background.row(row)));
}

#[test]
fn the_best_are_those_of_a_plain_sort() {
    let index = filled(300, 40);
    for seed in 2..12 {
        let query = noise(40, seed);
        let expected = ranked(&index, &query);
        for top in [0, 1, 7, 300, 5000] {
            let hits = index.search(&query, top, Filter::all()).unwrap();
            assert_eq!(hits.len(), top.min(300));
            for (hit, (row, cosine)) in hits.iter().zip(&expected) {
                assert!((f64::from(hit.score) - cosine).abs() < 1e-4, "row {} for {row}", hit.row);
            }
            assert!(hits.is_sorted_by(|a, b| a > b));
        }
    }
}

#[test]
fn of_equal_scores_the_first_rows_stay() {
    let mut index = Index::new(name(), 2).unwrap();
    index.add(&["a", "b", "c", "d", "e"], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]).unwrap();
    let rows = |top| -> Vec<usize> {
        index.search(&[1.0, 0.0], top, Filter::all()).unwrap().iter().map(|hit| hit.row).collect()
    };
    assert_eq!(
        (rows(1), rows(2), rows(3), rows(5)),
        (vec![0], vec![0, 2], vec![0, 2, 3], vec![0, 2, 3, 4, 1])
    );
}

#[test]
fn a_filter_leaves_rows_out() {
    let index = filled(20, 8);
    let query = noise(8, 3);
    let all = index.search(&query, 20, Filter::all()).unwrap();
    let bits = [0b1010_0101, 0b1111_0000];
    let some = index.search(&query, 20, Filter::bits(&bits)).unwrap();
    let expected: Vec<Hit> =
        all.into_iter().filter(|hit| [0, 2, 5, 7, 12, 13, 14, 15].contains(&hit.row)).collect();
    assert_eq!(some, expected);
    assert_eq!(index.search(&query, 20, Filter::bits(&[])).unwrap(), []);
}

#[test]
fn what_is_added_and_removed_is_what_a_list_of_it_has() {
    let mut index = Index::new(name(), 5).unwrap();
    let mut list: Vec<(String, Vec<f32>)> = Vec::new();
    let mut state = 7usize;
    for round in 0..400u32 {
        state = state.wrapping_mul(6_364_136_223_846_793_005 % usize::MAX).wrapping_add(1_442_695_041);
        let id = format!("{}", (state >> 16) % 40);
        let known = list.iter().position(|(one, _)| *one == id);
        if (state >> 8).is_multiple_of(3) {
            assert_eq!(index.remove(&[&id, "never there"]), usize::from(known.is_some()));
            known.map(|place| list.remove(place));
        } else {
            let vector = noise(5, round);
            index.add(&[&id], &vector).unwrap();
            match known {
                Some(place) => list[place].1 = vector,
                None => list.push((id, vector)),
            }
        }
        assert_eq!(index.len(), list.len());
        for (id, vector) in &list {
            let row = index.row(id).unwrap();
            assert_eq!(index.id(row), id);
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            let kept = index.vector(row);
            assert!(kept.iter().zip(vector).all(|(kept, x)| (kept - x / length).abs() < 0.5 / 127.0));
        }
    }
    assert!(list.len() > 10, "a test over next to nothing");
}

#[test]
fn what_cannot_be_added_leaves_all_as_it_was() {
    let mut index = filled(3, 2);
    let before = file(&index);
    let long = "x".repeat(MAX_ID_BYTES + 1);
    let cases: [(&[&str], &[f32], &str); 8] = [
        (&["a"], &[1.0], "1 vectors of 2 numbers were expected, and 1 numbers came."),
        (&["a"], &[1.0; 4], "1 vectors of 2 numbers were expected, and 4 numbers came."),
        (&["a", "b"], &[1.0, 0.0, 0.0, 0.0], "The vector of b has no direction"),
        (&["a"], &[f32::NAN, 0.0], "The vector of a has no direction"),
        (&["a"], &[1.0, f32::INFINITY], "The vector of a has no direction"),
        (&["a", "a"], &[1.0; 4], "The id a is given twice."),
        (&["a", ""], &[1.0; 4], "An id has from 1 to 4096 bytes, and one has 0."),
        (&["a", &long], &[1.0; 4], "An id has from 1 to 4096 bytes, and one has 4097."),
    ];
    for (ids, vectors, message) in cases {
        let error = index.add(ids, vectors).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(file(&index), before);
    }
    for query in [&[0.0, 0.0][..], &[1.0], &[f32::NAN, 1.0]] {
        assert_eq!(index.search(query, 1, Filter::all()).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
    assert!(Index::new(name(), 0).is_err() && Index::new(name(), MAX_WIDTH + 1).is_err());
}

#[test]
fn huge_and_tiny_numbers_have_a_direction() {
    let mut index = Index::new(name(), 2).unwrap();
    index.add(&["huge", "tiny"], &[3e38, 3e38, 1e-40, 0.0]).unwrap();
    let hits = index.search(&[1e-40, 0.0], 2, Filter::all()).unwrap();
    assert_eq!(index.id(hits[0].row), "tiny");
    assert!((hits[0].score - 1.0).abs() < 1e-6 && (hits[1].score - 0.5f32.sqrt()).abs() < 1e-6);
}

#[test]
fn what_is_written_is_read_again_in_pieces_of_any_size() {
    for (count, width) in [(0, 3), (1, 1), (9, 5), (70, 33)] {
        let mut index = filled(count, width);
        index.set_background(&noise(8 * width, 9)).unwrap();
        let bytes = file(&index);
        for chunk in [1, 3, 7, 64, usize::MAX] {
            assert_same(&read(&bytes, chunk).unwrap(), &index);
        }
        let names = 6 + "ocellimainint8".len();
        let ids: usize = (0..count).map(|row| 2 + index.id(row).len()).sum();
        assert_eq!(bytes.len(), 24 + names + ids + (count + 8) * (4 + width) + 8);
    }
}

#[test]
fn a_hundred_thousand_vectors_take_less_than_60_megabytes() {
    let mut index = Index::new(name(), 512).unwrap();
    let vectors = noise(1000 * 512, 4);
    for part in 0..100 {
        let ids: Vec<String> =
            (0..1000).map(|row| format!("2024/holidays/IMG_{:06}.jpg", part * 1000 + row)).collect();
        index.add(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &vectors).unwrap();
    }
    assert!(index.memory() < 60_000_000, "{} bytes of memory", index.memory());
    let mut size = 0;
    index
        .write(|piece| -> std::result::Result<(), ()> {
            size += piece.len();
            Ok(())
        })
        .unwrap();
    assert!(size < 60_000_000, "{size} bytes of a file");
}

#[test]
fn a_damaged_file_is_refused_whatever_is_damaged() {
    let mut index = filled(4, 6);
    index.set_background(&noise(8 * 6, 9)).unwrap();
    let bytes = file(&index);
    let refused = |file: &[u8]| {
        let whole = read(file, usize::MAX).unwrap_err();
        assert_eq!(read(file, 1).unwrap_err().to_string(), whole.to_string());
        assert_eq!(whole.kind(), ErrorKind::IndexInvalid, "{whole}");
        whole.to_string()
    };
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            refused(&changed);
        }
        assert_eq!(refused(&bytes[..place]), "The index is damaged: its file ends too early.");
    }
    assert_eq!(
        refused(&[&bytes[..], b"x"].concat()),
        "The index is damaged: its file goes on after its end."
    );
    assert_eq!(refused(b"PK\x03\x04 and what a zip file has then"), "The file is not an index of ocelli.");
    let mut later = bytes.clone();
    later[8] = 2;
    assert_eq!(refused(&later), "The index has the format 2, and this ocelli reads 1.");
}

#[test]
fn counts_that_are_lies_take_no_memory() {
    for (place, value) in [(12, u32::MAX), (16, u32::MAX), (20, u32::MAX), (12, 0)] {
        let mut bytes = file(&filled(1, 2));
        bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        let message = read(&bytes, usize::MAX).unwrap_err().to_string();
        assert_eq!(message, "The index is damaged: its file has numbers in its head that no index has.");
    }
    let mut bytes = file(&filled(1, 2));
    bytes[16..20].copy_from_slice(&(MAX_VECTORS as u32).to_le_bytes());
    assert_eq!(read(&bytes, usize::MAX).unwrap_err().kind(), ErrorKind::IndexInvalid);
}

/// A file whose checksum fits, whatever else is wrong with it.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 8);
    let checksum = xxhash_rust::xxh3::xxh3_64(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

#[test]
fn what_no_index_has_is_refused_with_a_checksum_too() {
    let mut index = Index::new(name(), 2).unwrap();
    index.add(&["a", "b"], &[1.0, 0.0, 0.0, 1.0]).unwrap();
    let bytes = file(&index);
    assert_same(&read(&sealed(bytes.clone()), 9).unwrap(), &index);
    let end = bytes.len() - 8;
    let (ids, scales, vectors) = (end - 12 - 6, end - 12, end - 4);
    let cases: [(usize, &[u8], &str); 6] = [
        (ids + 5, b"a", "an id that is empty or there twice"),
        (ids + 2, b"\xff", "a text that is not UTF-8"),
        (ids + 1, b"\xff", "a text that is too long"),
        (scales, &f32::NAN.to_le_bytes(), "a vector that is not of length 1"),
        (scales, &(-0.5f32).to_le_bytes(), "a vector that is not of length 1"),
        (vectors, &[128], "a number that no vector has"),
    ];
    for (place, wrong, message) in cases {
        let mut changed = bytes.clone();
        changed[place..place + wrong.len()].copy_from_slice(wrong);
        let error = read(&sealed(changed), usize::MAX).unwrap_err();
        assert_eq!(error.to_string(), format!("The index is damaged: its file has {message}."));
    }
}

#[test]
fn groups_are_the_components_of_the_pairs_that_are_close() {
    // Angles: a chain of near ones, a pair, and one alone.
    let angles = [0.0f32, 0.1, 0.2, 1.0, 1.05, 2.0];
    let mut index = Index::new(name(), 2).unwrap();
    for (place, angle) in angles.iter().enumerate() {
        index.add(&[&place.to_string()], &[angle.cos(), angle.sin()]).unwrap();
    }
    let groups = |close: Closeness| {
        let mut scan = GroupScan::new(&index, close).unwrap();
        while scan.step(&index).unwrap() > 0 {}
        scan.groups()
    };
    let threshold = 0.11f32.cos();
    assert_eq!(groups(Closeness { threshold, burst: None }), [vec![0, 1, 2], vec![3, 4]]);
    assert_eq!(groups(Closeness { threshold: 0.06f32.cos(), burst: None }), [vec![3, 4]]);
    assert_eq!(groups(Closeness { threshold: -1.0, burst: None }), [vec![0, 1, 2, 3, 4, 5]]);
    let times = vec![100.0, 0.0, 3.0, f64::NAN, 0.0, 1.0];
    let burst = |within| groups(Closeness { threshold, burst: Some((times.clone(), within)) });
    assert_eq!(burst(3.0), [vec![1, 2]]);
    assert_eq!(burst(2.9), Vec::<Vec<usize>>::new());
    assert_eq!(burst(f64::INFINITY), [vec![0, 1, 2]]);
}

#[test]
fn groups_by_times_are_those_of_all_pairs_where_times_say_nothing() {
    let mut index = filled(150, 4);
    let mut all = GroupScan::new(&index, Closeness { threshold: 0.97, burst: None }).unwrap();
    while all.step(&index).unwrap() > 0 {}
    let burst = Some((vec![0.0; 150], 0.0));
    let mut near = GroupScan::new(&index, Closeness { threshold: 0.97, burst }).unwrap();
    while near.step(&index).unwrap() > 0 {}
    assert_eq!(all.groups(), near.groups());
    assert!(all.groups().len() > 3, "a test without groups");
    index.remove(&["photos/3.jpg"]);
    assert_eq!(all.step(&index).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
}

#[test]
fn picks_are_as_far_from_each_other_as_can_be() {
    let mut index = Index::new(name(), 2).unwrap();
    for degrees in [0, 2, 4, 50, 52, 90, 92] {
        let angle = (degrees as f32).to_radians();
        index.add(&[&degrees.to_string()], &[angle.cos(), angle.sin()]).unwrap();
    }
    let ids =
        |picks: Vec<Hit>| -> Vec<String> { picks.iter().map(|hit| index.id(hit.row).to_owned()).collect() };
    let free = Diversity { query: None, lambda: 0.5, among: 100 };
    // The one nearest to the mean, and then twice the one farthest from all picks.
    assert_eq!(ids(index.diverse(3, free, Filter::all()).unwrap()), ["50", "0", "92"]);
    assert_eq!(index.diverse(50, free, Filter::all()).unwrap().len(), 7);
    assert_eq!(ids(index.diverse(2, free, Filter::bits(&[0b110])).unwrap()).len(), 2);
    let query = [1.0, 0.0];
    let near = |lambda, among| Diversity { query: Some(&query), lambda, among };
    assert_eq!(ids(index.diverse(3, near(1.0, 9), Filter::all()).unwrap()), ["0", "2", "4"]);
    assert_eq!(ids(index.diverse(3, near(0.5, 9), Filter::all()).unwrap())[0], "0");
    assert_eq!(ids(index.diverse(2, near(0.0, 9), Filter::all()).unwrap()), ["0", "92"]);
    assert_eq!(ids(index.diverse(2, near(0.0, 4), Filter::all()).unwrap()), ["0", "50"]);
    for lambda in [f32::NAN, -0.1, 1.1] {
        assert!(index.diverse(2, near(lambda, 9), Filter::all()).is_err());
    }
}

#[test]
fn a_standard_score_is_the_distance_from_the_background_in_deviations() {
    let mut index = filled(5, 16);
    let query = noise(16, 2);
    let hits = index.search(&query, 5, Filter::all()).unwrap();
    assert_eq!(index.standard_scores(&hits).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    let background = noise(20 * 16, 3);
    index.set_background(&background).unwrap();
    for (hit, standard) in hits.iter().zip(index.standard_scores(&hits).unwrap()) {
        let vector = index.vector(hit.row);
        let cosine = |text: &[f32]| {
            let length = text.iter().map(|x| x * x).sum::<f32>().sqrt();
            f64::from(vector.iter().zip(text).map(|(a, b)| a * b).sum::<f32>() / length)
        };
        let cosines: Vec<f64> = background.chunks(16).map(cosine).collect();
        let mean = cosines.iter().sum::<f64>() / 20.0;
        let deviation = (cosines.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20.0).sqrt();
        let expected = (f64::from(hit.score) - mean) / deviation;
        assert!((f64::from(standard) - expected).abs() < 0.05, "{standard} instead of {expected}");
    }
    for wrong in [&background[1..], &background[..7 * 16], &vec![0.0; 8 * 16]] {
        assert_eq!(index.set_background(wrong).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
        assert!(index.has_background(), "the background is kept");
    }
    index.set_background(&[]).unwrap();
    assert!(!index.has_background());
}
