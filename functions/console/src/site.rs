//! The page and its files, as they are answered.

use std::collections::BTreeMap;

use http::{HeaderValue, header};
use sha2::{Digest, Sha256};
use shared::{base62, http::File};

use crate::{assets::ASSETS, headers::secured};

/// The file that is the page.
const PAGE: &str = "index.html";

/// What the page writes in place of the version.
const VERSION: &str = "{version}";

/// How many characters of a digest make the version: 71 bits, which no two contents share.
const VERSION_LENGTH: usize = 12;

/// A browser keeps a file and doesn't ask again: a file of other content has another address.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The page and its files. All files are in one folder, named by what they hold: after an update, a page and a module of different
/// versions never meet, and a visit that isn't the first takes one request.
pub struct Site {
    version: String,
    page: File,
    files: BTreeMap<&'static str, File>,
}

impl Site {
    /// The site.
    #[must_use]
    pub fn new() -> Self {
        let mut digest = Sha256::new();
        for (name, content) in ASSETS {
            digest.update(name.len().to_be_bytes());
            digest.update(name);
            digest.update(content.len().to_be_bytes());
            digest.update(content);
        }
        let mut version = base62::encode(&digest.finalize().into());
        version.truncate(VERSION_LENGTH);
        let content = ASSETS.iter().find(|(name, _)| *name == PAGE).map_or("", |(_, content)| content);
        let page = secured(File::new(content_type(PAGE), content.replace(VERSION, &version)));
        let files = ASSETS.iter().filter(|(name, _)| *name != PAGE);
        let files = files.map(|(name, content)| {
            (*name, secured(File::new(content_type(name), *content)).with(header::CACHE_CONTROL, FOR_EVER))
        });
        Self { version, page, files: files.collect() }
    }

    /// The page.
    #[must_use]
    pub const fn page(&self) -> &File {
        &self.page
    }

    /// The file at `path`, which begins with the version.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        let (version, name) = path.split_once('/')?;
        self.files.get(name).filter(|_| version == self.version)
    }

    /// The folder of the files.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

/// By the name's ending. A browser runs no module and takes no style of another type.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
