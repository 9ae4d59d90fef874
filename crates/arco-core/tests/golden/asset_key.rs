use arco_core::AssetKey;

#[derive(serde::Deserialize)]
struct Vectors {
    keys: Vec<Vector>,
    refused: Vec<Refused>,
}

#[derive(serde::Deserialize)]
struct Vector {
    parts: Vec<String>,
    text: String,
}

#[derive(serde::Deserialize)]
struct Refused {
    text: String,
}

#[test]
fn parts_and_text_are_one_to_one() {
    let vectors: Vectors = crate::read_json("asset_key.json");
    for vector in &vectors.keys {
        let key = AssetKey::from_parts(&vector.parts).expect("no empty part");
        assert_eq!(key.as_str(), vector.text);
        assert_eq!(AssetKey::parse(&vector.text), Some(key.clone()));
        assert_eq!(key.parts(), vector.parts);
    }
    for refused in &vectors.refused {
        assert_eq!(AssetKey::parse(&refused.text), None, "{}", refused.text);
    }
}
