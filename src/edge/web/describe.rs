//! What the OpenAPI document says of every address alike: who may ask, and which errors there are.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

/// The errors of every address.
const OF_ALL: [(&str, &str); 4] = [
    ("400", "The request is not as it should be."),
    ("401", "A token is missing or not known."),
    ("403", "The token does not allow this, or not on this line."),
    ("503", "Not now: ask again."),
];
/// The errors of those whose body is read whole.
const WITH_BODY: [(&str, &str); 2] =
    [("408", "The body came too slowly."), ("413", "The body is too long.")];

/// Adds it to the document of all addresses.
pub(super) fn common(document: &mut OpenApi) {
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", token);
    // Where no token is configured, whoever is on the machine needs none.
    let needs = SecurityRequirement::new("token", [] as [&str; 0]);
    document.security = Some(vec![needs, SecurityRequirement::default()]);
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            let is_read_whole = reads_whole(operation);
            let with_body = WITH_BODY.iter().filter(|_| is_read_whole);
            for (status, when) in OF_ALL.iter().chain(with_body) {
                let responses = &mut operation.responses.responses;
                responses.entry((*status).to_owned()).or_insert_with(|| problem(when).into());
            }
        }
    }
}

/// Words are read as they come.
fn reads_whole(operation: &Operation) -> bool {
    match &operation.request_body {
        Some(RefOr::T(body)) => body.content.contains_key("application/json"),
        _ => false,
    }
}

fn problem(when: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(when).content("application/problem+json", content).build()
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::{HttpMethod, OperationBuilder, Paths, PathsBuilder};
    use utoipa::openapi::request_body::RequestBodyBuilder;
    use utoipa::openapi::{Info, PathItem};

    use super::*;

    #[test]
    fn every_address_says_who_may_ask_and_what_may_go_wrong() {
        let plain = OperationBuilder::new().build();
        let json = RequestBodyBuilder::new().content("application/json", Content::default());
        let own = OperationBuilder::new()
            .request_body(Some(json.build()))
            .response("401", Response::new("of its own"))
            .build();
        let paths: Paths = PathsBuilder::new()
            .path("/plain", PathItem::new(HttpMethod::Get, plain))
            .path("/own", PathItem::new(HttpMethod::Post, own))
            .build();
        let mut document = OpenApi::new(Info::new("t", "1"), paths);
        common(&mut document);
        let document = serde_json::to_value(&document).expect("JSON");
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        assert_eq!(document["security"], serde_json::json!([{"token": []}, {}]));
        let plain = &document["paths"]["/plain"]["get"]["responses"];
        assert!(plain["401"].is_object() && plain["503"].is_object() && plain["413"].is_null());
        let own = &document["paths"]["/own"]["post"]["responses"];
        assert!(own["403"].is_object() && own["413"].is_object());
        assert_eq!(own["401"]["description"], "of its own");
    }
}
