use std::io::BufRead;
fn main() {
    for l in std::io::stdin().lock().lines() {
        let l = l.unwrap();
        if l.trim().is_empty() {
            continue;
        }
        let p = nephoran_grammar::translate(&l);
        let mut v = serde_json::to_value(&p).unwrap();
        let o = v.as_object_mut().unwrap();
        o.remove("question");
        o.remove("explanation");
        let s = match o["outcome"].as_str().unwrap() {
            "clarify" => format!("ASK {}", o["missing"]),
            "refuse" => format!("REFUSE {}", o["reason"]),
            _ => {
                o.remove("outcome");
                serde_json::to_string(o).unwrap().replace("\"", "").replace("action:", "")
            }
        };
        println!("{l}\n      {s}");
    }
}
