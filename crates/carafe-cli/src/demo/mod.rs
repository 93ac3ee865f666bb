//! The demo.
pub(crate) fn serve(_: &str) -> Result<(), crate::failure::Failure> {
    let _ = crate::keys::of_environment;
    let _ = crate::json_text::pretty;
    Ok(())
}
