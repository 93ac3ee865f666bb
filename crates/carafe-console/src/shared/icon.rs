//! The drawings of pages: icons, the mark and the icon of the tab.
//!
//! Constant text, which is not escaped.

use maud::{Markup, PreEscaped, html};

/// The paths of the mark.
const MARK: &str = r#"<path fill="currentColor" opacity=".28" d="M3.6 20.5h18.8c0 5.3-2.9 8-6.9 8h-5c-4 0-6.9-2.7-6.9-8z"/><path fill="none" stroke="currentColor" stroke-width="2.2" stroke-linejoin="round" stroke-linecap="round" d="M6.5 3.5h11M9 3.5C9 12 3.5 13.5 3.5 21c0 4.7 3 7.5 7 7.5h5c4 0 7-2.8 7-7.5 0-7.5-5.5-9-5.5-17.5M17.7 8.5h4.8c4 0 6 2.4 6 5.7 0 3.6-2.2 5.9-5.9 6.3M4 20.5h18"/>"#;

/// The mark as the favicon.
pub const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' color='%231f9a8d'%3E%3Cpath fill='currentColor' opacity='.28' d='M3.6 20.5h18.8c0 5.3-2.9 8-6.9 8h-5c-4 0-6.9-2.7-6.9-8z'/%3E%3Cpath fill='none' stroke='currentColor' stroke-width='2.2' stroke-linejoin='round' stroke-linecap='round' d='M6.5 3.5h11M9 3.5C9 12 3.5 13.5 3.5 21c0 4.7 3 7.5 7 7.5h5c4 0 7-2.8 7-7.5 0-7.5-5.5-9-5.5-17.5M17.7 8.5h4.8c4 0 6 2.4 6 5.7 0 3.6-2.2 5.9-5.9 6.3M4 20.5h18'/%3E%3C/svg%3E";

/// An icon beside a message.
#[derive(Clone, Copy)]
pub enum Icon {
    Check,
    Cross,
    Clock,
    Warning,
}

impl Icon {
    const fn paths(self) -> &'static str {
        match self {
            Self::Check => r#"<circle cx="9" cy="9" r="7.5"/><path d="m5.8 9.3 2.2 2.2 4.2-4.6"/>"#,
            Self::Cross => r#"<circle cx="9" cy="9" r="7.5"/><path d="m6.5 6.5 5 5m0-5-5 5"/>"#,
            Self::Clock => r#"<circle cx="9" cy="9" r="7.5"/><path d="M9 5v4.2l2.7 1.6"/>"#,
            Self::Warning => r#"<path d="M9 2.2 16.4 15H1.6zM9 7v3.6M9 12.9v.1"/>"#,
        }
    }
}

pub fn icon(icon: Icon) -> Markup {
    html! { svg.icon viewBox="0 0 18 18" aria-hidden="true" { (PreEscaped(icon.paths())) } }
}

pub fn mark() -> Markup {
    html! { svg.brand-mark viewBox="0 0 32 32" aria-hidden="true" { (PreEscaped(MARK)) } }
}
