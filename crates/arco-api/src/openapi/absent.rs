//! Optional fields are left out when they have no value. The generator describes them as "the type or
//! null"; a client made from that would test for a `null` that never comes.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{ArrayItems, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// Takes `null` out of all properties.
pub(super) fn not_null(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    schemas.values_mut().for_each(walk);
}

fn walk(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            for property in object.properties.values_mut() {
                strip(property);
                walk(property);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                walk(items);
            }
        }
        Schema::AllOf(all) => all.items.iter_mut().for_each(walk),
        Schema::OneOf(one) => one.items.iter_mut().for_each(walk),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(walk),
        _ => {}
    }
}

/// Takes `null` out of one property or parameter.
pub(super) fn strip(property: &mut RefOr<Schema>) {
    let RefOr::T(schema) = property else { return };
    match schema {
        Schema::Object(object) => strip_type(&mut object.schema_type),
        Schema::Array(array) => strip_type(&mut array.schema_type),
        Schema::OneOf(one) if one.items.iter().any(is_null) => {
            one.items.retain(|item| !is_null(item));
            if let [only] = one.items.as_slice() {
                *property = only.clone();
            }
        }
        _ => {}
    }
}

fn strip_type(schema_type: &mut SchemaType) {
    if let SchemaType::Array(types) = schema_type {
        types.retain(|one| *one != Type::Null);
        if let [only] = types.as_slice() {
            *schema_type = SchemaType::Type(only.clone());
        }
    }
}

fn is_null(item: &RefOr<Schema>) -> bool {
    matches!(item, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}
