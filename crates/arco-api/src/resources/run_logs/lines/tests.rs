use super::*;

/// The lines of chunks, and where each ends.
fn cut(start: Place, chunks: &[&[u8]]) -> (Vec<Line>, Vec<Place>, Lines) {
    let mut lines = Lines::from(start);
    let (mut out, mut places) = (Vec::new(), Vec::new());
    for (number, bytes) in (start.chunk..).zip(&chunks[usize::try_from(start.chunk).unwrap()..]) {
        let mut piece = lines.piece(number, Bytes::copy_from_slice(bytes));
        while let Some(line) = lines.next(&mut piece) {
            out.push(line);
            places.push(lines.start());
        }
    }
    (out, places, lines)
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn lines_are_cut_whatever_the_chunks() {
    let chunks: [&[u8]; 4] = [b"one\nt", b"w", b"o\r\n\nthr\xc3", b"\xa9e"];
    let (lines, places, mut rest) = cut(Place::default(), &chunks);
    assert_eq!(texts(&lines), ["one", "two", ""]);
    assert_eq!(rest.rest(4).unwrap().text, "thrée");
    assert_eq!(rest.rest(4), None);
    // After a break the rest comes, from whichever line.
    for (given, place) in places.iter().enumerate() {
        let (again, _, mut rest) = cut(*place, &chunks);
        assert_eq!(texts(&again), texts(&lines[given + 1..]), "from {place:?}");
        assert_eq!(rest.rest(4).unwrap().text, "thrée");
    }
}

#[test]
fn a_place_after_a_whole_chunk_is_the_next_chunk() {
    let (_, places, _) = cut(Place::default(), &[b"one\ntwo\n"]);
    let place = |chunk, offset| Place { chunk, offset };
    assert_eq!(places, [place(0, 4), place(1, 0)]);
}

#[test]
fn a_line_without_end_is_given_in_pieces_that_cut_no_character() {
    let long = "é".repeat(LINE_BYTES_MAX);
    let bytes = [b"x", long.as_bytes(), b"\n"].concat();
    let chunks: Vec<&[u8]> = bytes.chunks(100_000).collect();
    let (lines, places, _) = cut(Place::default(), &chunks);
    assert!(lines.iter().all(|line| line.text.len() <= LINE_BYTES_MAX));
    assert!(lines.iter().all(|line| !line.text.contains('\u{FFFD}')));
    let continues: Vec<bool> = lines.iter().map(|line| line.continues).collect();
    assert_eq!(continues, [true, true, false]);
    assert_eq!(texts(&lines).concat(), format!("x{long}"));
    let (again, ..) = cut(places[0], &chunks);
    assert_eq!(texts(&again), texts(&lines[1..]));
}
