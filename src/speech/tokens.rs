//! Token numbers → text, from Moonshine's `tokenizer.bin`.

use super::SpeechError;

/// The vocabulary of a Moonshine model.
#[derive(Debug)]
pub struct Tokens {
    pieces: Vec<Vec<u8>>,
}

/// What a word begins with: U+2581, "lower one eighth block".
const WORD_START: &str = "\u{2581}";

impl Tokens {
    /// Reads `tokenizer.bin`: one byte string a token, each after its length. 0 is an empty one; a
    /// first byte of 128 or more is the low part of a length of two bytes.
    ///
    /// # Errors
    /// When the bytes end inside a token.
    pub fn parse(bytes: &[u8]) -> Result<Self, SpeechError> {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while let Some((&first, after)) = rest.split_first() {
            let (length, after) = match (first, after.split_first()) {
                (0..128, _) => (usize::from(first), after),
                (_, Some((&high, after))) => {
                    (usize::from(first) - 128 + usize::from(high) * 128, after)
                }
                (_, None) => return Err(broken(pieces.len())),
            };
            let piece = after.get(..length).ok_or_else(|| broken(pieces.len()))?;
            pieces.push(piece.to_vec());
            rest = &after[length..];
        }
        Ok(Self { pieces })
    }

    /// The text of `tokens`. Control tokens such as `<s>` and unknown numbers say nothing.
    pub fn text(&self, tokens: &[i64]) -> String {
        let mut bytes = Vec::new();
        for token in tokens {
            let piece = usize::try_from(*token).ok().and_then(|token| self.pieces.get(token));
            match piece.map(Vec::as_slice) {
                Some([b'<', b'0', b'x', high, low, b'>']) => bytes.extend(hex(*high, *low)),
                Some([b'<', .., b'>']) | None => {}
                Some(piece) => bytes.extend_from_slice(piece),
            }
        }
        String::from_utf8_lossy(&bytes).replace(WORD_START, " ").trim().to_owned()
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn broken(token: usize) -> SpeechError {
    SpeechError::Form {
        model: "moonshine",
        problem: format!("tokenizer.bin ends in token {token}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_words() {
        let mut bytes = vec![0, 3];
        bytes.extend(b"<s>");
        for piece in ["▁safe", "▁acc", "ount", "<0x21>"] {
            bytes.push(piece.len() as u8);
            bytes.extend(piece.as_bytes());
        }
        let tokens = Tokens::parse(&bytes).expect("well formed");
        assert_eq!(tokens.text(&[1, 2, 3, 4, 5, 99, -1]), "safe account!");
    }

    #[test]
    fn long_pieces_have_a_length_of_two_bytes() {
        let mut bytes = vec![128 + 2, 1];
        bytes.extend(std::iter::repeat_n(b'a', 130));
        assert_eq!(Tokens::parse(&bytes).expect("well formed").text(&[0]).len(), 130);
    }

    #[test]
    fn a_cut_file_is_an_error() {
        assert!(Tokens::parse(&[5, b'a']).is_err());
        assert!(Tokens::parse(&[200]).is_err());
    }
}
