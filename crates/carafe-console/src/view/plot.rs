//! A row of bars, as a drawing and as a table for screen readers.
//!
//! The drawing is stretched to the width of the page, so its texts are HTML beside it.

use maud::{Markup, html};

use super::text::number;

/// A plot. `id` names it on the page.
pub(super) struct Plot<'p> {
    pub(super) id: &'p str,
    pub(super) title: &'p str,
    /// The description above the bars.
    pub(super) about: Markup,
    /// The column titles of the table.
    pub(super) columns: [&'p str; 2],
    pub(super) bars: Vec<PlotBar>,
    /// Texts under the bars: at the left end, in the middle, at the right end.
    pub(super) ends: [String; 3],
    pub(super) exact: bool,
}

/// A bar.
pub(super) struct PlotBar {
    pub(super) name: String,
    /// `None` if the number is unknown. Then there is no bar.
    pub(super) count: Option<u64>,
}

/// Height of the drawing, in its own units.
const HEIGHT: f64 = 100.0;

pub(super) fn plot(plot: &Plot<'_>) -> Markup {
    let top = nice(
        plot.bars
            .iter()
            .filter_map(|bar| bar.count)
            .max()
            .unwrap_or(0),
    );
    let title = format!("{}-title", plot.id);
    html! {
        section.card-box.plot-box aria-labelledby=(title) id=(plot.id) data-live {
            h2 id=(title) { (plot.title) }
            p.note { (plot.about) }
            div.plot aria-hidden="true" {
                div.plot-scale { span { (number(top, true)) } span { (number(top / 2, true)) } span { "0" } }
                (drawing(&plot.bars, top))
                div.plot-ends { @for end in &plot.ends { span { (end) } } }
            }
            details id={ (plot.id) "-numbers" } {
                summary { "The numbers" span.visually-hidden { " of " (plot.title) } }
                div.table-scroll tabindex="0" role="region" aria-labelledby=(title) {
                    table.numbers {
                        thead { tr { @for head in plot.columns { th scope="col" { (head) } } } }
                        tbody {
                            @for bar in plot.bars.iter().rev() {
                                @if let Some(count) = bar.count {
                                    tr { th scope="row" { (bar.name) } td { (number(count, plot.exact)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "pixels do not show the difference"
)]
fn drawing(bars: &[PlotBar], top: u64) -> Markup {
    let height = |count: u64| count as f64 / top as f64 * HEIGHT;
    let width = bars.len() * 10;
    html! {
        svg.plot-bars viewBox={ "0 0 " (width) " 100" } preserveAspectRatio="none" {
            @for y in [0, 50, 100] { line.plot-line x1="0" x2=(width) y1=(y) y2=(y) {} }
            @for (at, bar) in bars.iter().enumerate() {
                @if let Some(count) = bar.count {
                    @let high = height(count);
                    g {
                        title { (bar.name) ": " (number(count, true)) }
                        // As high as the plot, so that a low bar has a tooltip, too.
                        rect.plot-field x=(at * 10) y="0" width="10" height="100" {}
                        rect.plot-bar x={ (at * 10 + 1) } y={ (format_args!("{:.2}", HEIGHT - high)) } width="8" height={ (format_args!("{high:.2}")) } {}
                    }
                }
            }
        }
    }
}

/// Returns the smallest of 2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100, 120, … that is
/// at least `most`. Half of each is round, too.
fn nice(most: u64) -> u64 {
    let small = [2, 4, 6, 8, 10].into_iter().find(|&top| top >= most);
    if let Some(top) = small {
        return top;
    }
    let mut power = 1_u64;
    loop {
        for step in [12, 16, 20, 24, 30, 40, 50, 60, 80, 100] {
            let top = power.saturating_mul(step);
            if top >= most {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (most, top) in [
            (0, 2),
            (2, 2),
            (3, 4),
            (5, 6),
            (7, 8),
            (11, 12),
            (41, 50),
            (151, 160),
            (255, 300),
            (99_999, 100_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(nice(most), top, "{most}");
        }
    }
}
