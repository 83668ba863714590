//! Spellings of one machine's name by tools, systems and people.

use unicode_normalization::UnicodeNormalization;

/// Protected names, each with its ASCII form in DNS.
pub const PROTECTED: [(&str, &str); 8] = [
    ("dc01", "dc01"),
    ("domain-controller-01", "domain-controller-01"),
    ("firin-backup-server", "firin-backup-server"),
    ("büro-dc", "xn--bro-dc-3ya"),
    ("münchen-fileserver-2", "xn--mnchen-fileserver-2-59b"),
    ("file_server", "file_server"),
    ("SQL-PRODUCTION1", "sql-production1"),
    ("straße", "xn--strae-oqa"),
];

/// Domains that machines have.
pub const DOMAINS: [&str; 3] = ["corp.example", "lan.example", "local"];

/// Names of machines that no policy protects.
pub const ORDINARY: [&str; 10] = [
    "ws-7",
    "laptop-0815",
    "DESKTOP-ABC1234",
    "LAPTOP-ABCD1234",
    "kiosk-nord-12",
    "kühlhaus-3",
    "сервер-7",
    "東京-3",
    "Anna's MacBook Pro",
    "web_9.lan.example",
];

const INVISIBLE: [char; 6] = ['\u{200b}', '\u{ad}', '\u{2060}', '\u{feff}', '\u{200d}', '\u{fe0f}'];

/// Letters, and similar letters.
const LOOK_ALIKES: [(char, char); 18] = [
    ('a', 'а'),
    ('c', 'с'),
    ('d', 'ԁ'),
    ('e', 'е'),
    ('i', 'і'),
    ('o', 'ο'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'Ϲ'),
    ('E', 'Ε'),
    ('H', 'Н'),
    ('M', 'М'),
    ('O', 'О'),
    ('T', 'Т'),
];

/// A change of spelling that does not change the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// Decomposed characters.
    Nfd,
    /// Composed characters.
    Nfc,
    /// Characters in full width.
    Wide,
    /// An invisible character at a place.
    Invisible(u8),
    /// `ı` in place of `i`.
    Dotless,
    /// `İ` in place of `I`.
    Dotted,
    /// A letter of another script at a place.
    LookAlike(u8),
    /// The first label, truncated for NetBIOS.
    Cut,
    /// A dot at the end.
    Dot,
    /// The first label.
    Short,
    /// White space around.
    Space,
    /// The Windows form of a machine account.
    Account,
}

impl Change {
    /// The change for a number; each number has one.
    pub fn from_number(kind: u8, at: u8) -> Self {
        match kind % 14 {
            0 => Self::Upper,
            1 => Self::Lower,
            2 => Self::Nfd,
            3 => Self::Nfc,
            4 => Self::Wide,
            5 => Self::Invisible(at),
            6 => Self::Dotless,
            7 => Self::Dotted,
            8 => Self::LookAlike(at),
            9 => Self::Cut,
            10 => Self::Dot,
            11 => Self::Short,
            12 => Self::Space,
            _ => Self::Account,
        }
    }

    /// Whether a pattern may have this change.
    pub fn is_for_patterns(self) -> bool {
        !matches!(self, Self::Cut | Self::Short | Self::Account)
    }

    fn apply(self, name: &str) -> String {
        let each = |change: fn(char) -> char| name.chars().map(change).collect();
        let label = || name.split(['.', '．']).next().unwrap_or_default();
        match self {
            Self::Upper => name.to_uppercase(),
            Self::Lower => name.to_lowercase(),
            Self::Nfd => name.nfd().collect(),
            Self::Nfc => name.nfc().collect(),
            Self::Wide => each(|c| match c {
                '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
                c => c,
            }),
            Self::Invisible(at) => {
                let mut text: Vec<char> = name.chars().collect();
                let sign = INVISIBLE[usize::from(at) % INVISIBLE.len()];
                text.insert(usize::from(at) % (text.len() + 1), sign);
                text.into_iter().collect()
            }
            Self::Dotless => each(|c| if c == 'i' { 'ı' } else { c }),
            Self::Dotted => each(|c| if c == 'I' { 'İ' } else { c }),
            Self::LookAlike(at) => {
                let place = usize::from(at) % name.chars().count().max(1);
                let other = |c: char| LOOK_ALIKES.iter().find(|(own, _)| *own == c).map_or(c, |(_, it)| *it);
                name.chars().enumerate().map(|(n, c)| if n == place { other(c) } else { c }).collect()
            }
            Self::Cut => label().chars().take(15).collect(),
            Self::Dot if name.ends_with(['.', '．']) => name.to_owned(),
            Self::Dot => format!("{name}."),
            Self::Short => label().to_owned(),
            Self::Space => format!(" {name}\u{a0}"),
            Self::Account if name.contains(['.', '．', '\\', '$', '＼', '＄']) => name.to_owned(),
            Self::Account => format!("CORP\\{name}$"),
        }
    }
}

/// Applies these changes to a name, in order.
pub fn apply_changes(name: &str, changes: &[Change]) -> String {
    changes.iter().fold(name.to_owned(), |name, change| change.apply(&name))
}

/// A pattern that matches a label: its beginning, its end, or one open character.
pub fn pattern(label: &str, kind: u8, at: u8) -> String {
    let letters: Vec<char> = label.chars().collect();
    let at = usize::from(at);
    match kind % 4 {
        0 => letters[..1 + at % letters.len()].iter().chain(&['*']).collect(),
        // A truncated name still has some text after the star.
        1 => std::iter::once(&'*').chain(&letters[at % letters.len().min(8)..]).collect(),
        2 => {
            let place = at % letters.len();
            // One letter that may become two needs more than `?`.
            letters
                .iter()
                .enumerate()
                .map(|(n, c)| if n == place && c.is_ascii() { '?' } else { *c })
                .collect()
        }
        _ => label.to_owned(),
    }
}
