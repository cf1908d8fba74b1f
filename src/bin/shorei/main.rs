fn main() {
    let pipeline = shorei::Pipeline::load_default().unwrap();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = pipeline.structure(&path, &text).unwrap();
        println!("{path}\tprimary={}\n{}", case.primary(), case.map().to_tree());
    }
}
