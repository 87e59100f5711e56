//! Bars of a chart.

/// Eighths of a character, from one to all of them.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar for `value`, of `width` characters for `most`. What isn't nothing is never shown as nothing.
pub(crate) fn bar(value: u64, most: u64, width: usize) -> String {
    if value == 0 || most == 0 {
        return String::new();
    }
    let eighths = u128::from(value.min(most)) * (width as u128) * 8 / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).max(1);
    let mut bar = String::from(EIGHTHS[7]).repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8 - 1]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(9, 16, 4), "██▎");
        assert_eq!(bar(10, 10, 4), "████");
    }

    proptest! {
        #[test]
        fn no_bar_is_too_long(value in any::<u64>(), most in any::<u64>(), width in 1_usize..100) {
            let bar = bar(value, most, width).chars().count();
            prop_assert!(bar <= width);
            prop_assert_eq!(bar == 0, value == 0 || most == 0);
        }
    }
}
