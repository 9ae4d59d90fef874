//! The description of the API: OpenAPI 3.1, made from the handlers, committed as `openapi.json`.
//!
//! What is true of every path is said here once and put into each: the workspace, the refusal, the
//! headers, the security; that what is absent is left out and never `null`; what ids look like.

mod absent;

use arco_wire::api::{
    LogAttempt, LogEnd, LogLost, LogOutput, LogPosition, LogSkipped, MIN_POSITION_HEADER,
    POSITION_HEADER, REQUEST_ID_HEADER,
};
use arco_wire::problem::Problem;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, OpenApi, PathItem, Ref, RefOr, Required, Response,
    ResponseBuilder, Schema,
};
use utoipa::{OpenApi as _, PartialSchema as _};

const ABOUT: &str = "Arco orchestrates data assets. Every path below a workspace answers with the \
position of the log it was read at; a refusal is `application/problem+json`, explained at its `type`. \
See docs/guide/api.md.";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Arco", description = ABOUT, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(Problem, LogOutput, LogAttempt, LogLost, LogSkipped, LogEnd)),
    tags(
        (name = "runs", description = "Ask for runs, follow them, stop them"),
        (name = "backfills", description = "Many partitions: ask for them, steer them, follow them"),
        (name = "queue", description = "What waits, and how much may go on at once"),
        (name = "assets", description = "Assets, their partitions, checks and materializations"),
        (name = "jobs", description = "Named selections of assets"),
        (name = "schedules", description = "When what is run, and what came of it"),
        (name = "sensors", description = "What is watched, what came of it, and messages for it"),
        (name = "definitions", description = "Code locations"),
        (name = "events", description = "The event log"),
        (name = "status", description = "Health and status"),
        (name = "worker", description = "What worker hosts call"),
    )
)]
struct Base;

/// What the generated paths are added to.
pub(crate) fn base() -> OpenApi {
    Base::openapi()
}

/// Adds what is true of every path.
pub(crate) fn complete(mut api: OpenApi) -> OpenApi {
    let components = api.components.get_or_insert_default();
    let bearer = |text: &str| {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(text));
        SecurityScheme::Http(scheme.build())
    };
    components.add_security_scheme(
        "token",
        bearer("A configured token. Without configured tokens the server answers its own machine only, and needs none."),
    );
    components.add_security_scheme("attempt_token", bearer("The `token` of a lease."));
    absent::not_null(&mut components.schemas);
    for (path, item) in &mut api.paths.paths {
        complete_path(path, item);
    }
    api
}

fn complete_path(path: &str, item: &mut PathItem) {
    let in_workspace = path.contains("{workspace}");
    if in_workspace {
        item.parameters
            .get_or_insert_default()
            .push(workspace().into());
    }
    let reads = item.get.is_some();
    let operations = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ];
    for operation in operations.into_iter().flatten() {
        complete_operation(operation, in_workspace);
    }
    if let Some(get) = item.get.as_mut().filter(|_| in_workspace && reads) {
        get.parameters
            .get_or_insert_default()
            .push(min_position().into());
    }
}

fn complete_operation(operation: &mut Operation, in_workspace: bool) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            complete_parameter(parameter);
        }
    }
    let responses = &mut operation.responses.responses;
    for (_, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            add_headers(response, in_workspace);
        }
    }
    responses.insert("default".into(), RefOr::T(refusal()));
    if in_workspace && operation.security.is_none() {
        let none: [String; 0] = [];
        // Either of the two: a token, or nothing on a server without tokens.
        operation.security = Some(vec![
            SecurityRequirement::new("token", none),
            SecurityRequirement::default(),
        ]);
    }
}

/// What the text of a path parameter looks like.
fn complete_parameter(parameter: &mut Parameter) {
    if let Some(schema) = &mut parameter.schema {
        absent::strip(schema);
    }
    let pattern = match parameter.name.as_str() {
        "run" | "parent" | "root" => "^run_[0-9A-HJKMNP-TV-Z]{26}$",
        "backfill" => "^backfill_[0-9A-HJKMNP-TV-Z]{26}$",
        "host" => "^host_[0-9A-HJKMNP-TV-Z]{26}$",
        "stream" => "^(stdout|stderr|log)$",
        "from" | "last-event-id" => "^[0-9]+\\.[0-9]+$",
        _ => return,
    };
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema {
        object.pattern = Some(pattern.into());
    }
}

fn text() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

fn add_headers(response: &mut Response, in_workspace: bool) {
    let header = |about: &str| {
        HeaderBuilder::new()
            .schema(Some(text()))
            .description(Some(about))
            .build()
    };
    response.headers.insert(
        REQUEST_ID_HEADER.into(),
        header("Id of the request, for the operator's log").into(),
    );
    if in_workspace {
        response.headers.insert(
            POSITION_HEADER.into(),
            header("Position of the log it was read at").into(),
        );
    }
}

fn refusal() -> Response {
    let problem = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description("A refusal; `code` says which, `type` is its page")
        .content("application/problem+json", problem)
        .build()
}

fn workspace() -> Parameter {
    ParameterBuilder::new()
        .name("workspace")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Workspace, `default` in dev"))
        .schema(Some(text()))
        .build()
}

fn min_position() -> Parameter {
    ParameterBuilder::new()
        .name(MIN_POSITION_HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Answer from this position of the log or a later one; 503 when it is not reached in two seconds"))
        .schema(Some(LogPosition::schema()))
        .build()
}
