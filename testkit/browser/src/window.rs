//! Window sizes and user agents of the tests.

use std::{env, fs, path::PathBuf};

/// The size of a window, in CSS pixels.
#[derive(Clone, Copy)]
pub struct Window {
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

/// The window of a phone.
pub const PHONE: Window = Window {
    width: 390,
    height: 844,
};
/// The window of a desktop computer.
pub const DESK: Window = Window {
    width: 1280,
    height: 900,
};

/// The `User-Agent` header of a browser on a desktop computer.
pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
/// The `User-Agent` header of a browser on a phone.
pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";

/// Upper bound on the size of a picture: a README is also read on slow connections.
const MOST_BYTES: usize = 250_000;

/// Writes a picture of the README into the directory `CARAFE_PICTURES`, or into `otherwise`.
pub fn keep_picture(name: &str, png: &[u8], otherwise: &str) {
    assert!(png.starts_with(b"\x89PNG"));
    assert!(png.len() < MOST_BYTES, "{name} has {} bytes", png.len());
    let directory = env::var_os("CARAFE_PICTURES").map(PathBuf::from);
    let directory = directory.unwrap_or_else(|| otherwise.into());
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(name), png).unwrap();
}
