use arco_core::PartitionKey;
use arco_core::partition::PartitionValue;

#[derive(serde::Deserialize)]
struct Vectors {
    keys: Vec<Vector>,
    refused: Vec<Refused>,
}

#[derive(serde::Deserialize)]
struct Vector {
    dimensions: Vec<Dimension>,
    canonical: String,
    display: String,
}

#[derive(serde::Deserialize)]
struct Dimension {
    name: String,
    r#type: String,
    value: String,
}

#[derive(serde::Deserialize)]
struct Refused {
    canonical: String,
    why: String,
}

impl Dimension {
    fn value(&self) -> PartitionValue {
        match self.r#type.as_str() {
            "time" => PartitionValue::Time(self.value.clone()),
            _ => PartitionValue::Text(self.value.clone()),
        }
    }
}

fn vectors() -> Vectors {
    crate::read_json("partition_identity.json")
}

#[test]
fn dimensions_make_the_canonical_text() {
    for vector in vectors().keys {
        let key = match vector.dimensions.as_slice() {
            [only] if only.name == "_" => PartitionKey::one(&only.value()),
            several => {
                let pairs: Vec<_> = several.iter().map(|d| (&d.name, d.value())).collect();
                PartitionKey::from_dimensions(&pairs).expect("names of the vectors are valid")
            }
        };
        assert_eq!(key.as_str(), vector.canonical);
        assert_eq!(key.display(), vector.display);
    }
}

#[test]
fn canonical_text_is_read_back() {
    for vector in vectors().keys {
        let key = PartitionKey::parse(&vector.canonical).expect("canonical");
        let mut expected: Vec<(&str, &str)> = vector
            .dimensions
            .iter()
            .map(|d| (d.name.as_str(), d.value.as_str()))
            .collect();
        expected.sort_unstable();
        let dimensions = key.dimensions();
        let read: Vec<(&str, &str)> = dimensions
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(read, expected);
        assert_eq!(key.display(), vector.display);
        let json = serde_json::to_string(&key).expect("text");
        assert_eq!(
            serde_json::from_str::<PartitionKey>(&json).expect("text"),
            key
        );
    }
}

#[test]
fn other_texts_are_refused() {
    for refused in vectors().refused {
        let read = PartitionKey::parse(&refused.canonical);
        assert!(read.is_err(), "{}: {}", refused.canonical, refused.why);
    }
}
