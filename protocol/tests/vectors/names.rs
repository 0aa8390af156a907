//! The names that the specification gives to opcodes.

use stockade_protocol::Opcode;

/// `HELLO` for `Hello`, `BATCH_ADD_STOCK` for `BatchAddStock`.
pub(crate) fn opcode_name(opcode: Opcode) -> String {
    let mut name = String::new();
    for character in format!("{opcode:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}
