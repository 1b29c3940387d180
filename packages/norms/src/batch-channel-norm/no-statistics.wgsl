
fn hand_over(column: u32) {}
