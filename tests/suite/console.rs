//! The console's page and files as a browser gets them: through the gateway, without a key.

use http::{HeaderMap, StatusCode};
use reqwest::{Client, redirect::Policy};
use serde_json::Value;

use crate::journey::Running;

/// Whatever is in the page, a browser takes nothing from elsewhere, and runs nothing that isn't a file of the console's.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

struct Browser<'a> {
    running: &'a Running,
    http: Client,
}

impl<'a> Browser<'a> {
    fn new(running: &'a Running) -> Self {
        Self { running, http: Client::builder().redirect(Policy::none()).build().unwrap() }
    }

    async fn get(&self, path: &str, known: Option<&str>) -> (StatusCode, HeaderMap, String) {
        let mut request = self.http.get(format!("{}{path}", self.running.url));
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.headers().clone(), response.text().await.unwrap())
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
}

#[tokio::test]
async fn the_page_and_each_of_its_files_come_without_a_key_and_with_every_guard() {
    let running = Running::start(None).await;
    let browser = Browser::new(&running);
    let site = console::Site::new();
    let mut paths = vec![("/console".to_owned(), "text/html; charset=utf-8", "no-cache")];
    for (name, _) in console::ASSETS.iter().filter(|(name, _)| *name != "index.html") {
        let kind = match name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other} has no media type"),
        };
        paths.push((format!("/console/{}/{name}", site.version()), kind, "public, max-age=31536000, immutable"));
    }
    for (path, kind, cached) in &paths {
        let (status, headers, body) = browser.get(path, None).await;
        assert_eq!(status, 200, "{path}");
        assert!(!body.is_empty(), "{path}");
        for (name, expected) in [
            ("content-type", *kind),
            ("cache-control", *cached),
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(&headers, name), expected, "{name} of {path}");
        }
        for feature in ["camera=()", "microphone=()", "geolocation=()", "clipboard-read=()", "clipboard-write=(self)"] {
            assert!(header(&headers, "permissions-policy").contains(feature), "{feature} of {path}");
        }
        let tag = header(&headers, "etag");
        assert!(tag.starts_with('"') && tag.len() > 20, "a strong tag: {tag}");
        let (status, again, body) = browser.get(path, Some(tag)).await;
        assert_eq!((status, body.as_str(), header(&again, "etag")), (StatusCode::NOT_MODIFIED, "", tag), "{path}");
        assert_eq!(header(&again, "content-security-policy"), POLICY, "a cache takes the headers of the 304");
        assert_eq!(browser.get(path, Some("\"another\"")).await.0, 200, "{path}");
    }
    running.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_404_and_a_slash_leads_to_the_page() {
    let running = Running::start(None).await;
    let browser = Browser::new(&running);
    let version = console::Site::new().version().to_owned();
    for path in [
        "/console/app.js".to_owned(),
        "/console/000000000000/app.js".to_owned(),
        format!("/console/{version}/nothing.js"),
        format!("/console/{version}/index.html"),
        format!("/console/{version}"),
        format!("/console/{version}/../../Cargo.toml"),
        format!("/console/{version}/%2e%2e/lib.rs"),
        format!("/console/{version}/views%2Fkeys.js"),
        "/console/console/app.js".to_owned(),
    ] {
        let (status, headers, body) = browser.get(&path, None).await;
        let problem: Value = serde_json::from_str(&body).unwrap_or_default();
        assert_eq!((status.as_u16(), &problem["code"]), (404, &"no_such_route".into()), "{path}: {body}");
        assert_eq!(header(&headers, "content-type"), "application/problem+json");
    }
    // Its links are relative: with the slash they would lead nowhere, under whatever stage.
    let (status, headers, _) = browser.get("/console/", None).await;
    assert_eq!((status.as_u16(), header(&headers, "location")), (308, "../console"));
    // Nothing is done to the console but looking at it.
    for method in ["HEAD", "POST", "PUT", "DELETE"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(running.send(method.clone(), "/console", None, Value::Null).await.0, 404, "{method}");
    }
    running.end().await;
}

#[tokio::test]
async fn the_console_asks_nobody_and_the_rest_of_the_api_still_asks_for_a_key() {
    let running = Running::start(None).await;
    let browser = Browser::new(&running);
    assert_eq!(browser.get("/console", None).await.0, 200);
    let line = running.lines.lock().unwrap().last().unwrap().clone();
    assert!(line.starts_with("200 GET /console") && !line.contains("allowed"), "no authorizer was asked: {line}");
    for path in ["/v1/keys?environment=live", "/v1/self", "/example"] {
        assert_eq!(browser.get(path, None).await.0, 401, "{path}");
    }
    running.end().await;
}
