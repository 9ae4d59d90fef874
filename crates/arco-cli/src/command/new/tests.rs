use std::path::Path;

use super::{FILES, name_of};

#[test]
fn the_name_of_a_project_is_the_name_of_a_package() {
    assert_eq!(
        name_of(Path::new("some/where/daily_sales")).unwrap(),
        "daily_sales"
    );
    for bad in ["Sales", "daily-sales", "1st", "tests", "..", "a b"] {
        assert!(name_of(Path::new(bad)).is_err(), "{bad}");
    }
}

#[test]
fn nothing_of_the_template_is_left_in_a_place() {
    for (place, _) in FILES {
        assert!(
            !place.replace("PROJECT", "sales").contains("PROJECT"),
            "{place}"
        );
    }
}
