//! The sample packages of `examples/packages`, in the binary: `demo` needs no other file.

macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_bytes!(concat!("../../../../examples/packages/", $path)) as &[u8]),)*]
    };
}

/// Path in the repository, and content.
pub const FILES: &[(&str, &[u8])] = files![
    "core5g/amf/Kptfile",
    "core5g/amf/README.md",
    "core5g/amf/deployment.yaml",
    "core5g/amf/package-context.yaml",
    "core5g/amf/service.yaml",
    "core5g/smf/Kptfile",
    "core5g/smf/README.md",
    "core5g/smf/package-context.yaml",
    "core5g/smf/statefulset.yaml",
    "core5g/udm/Kptfile",
    "core5g/udm/README.md",
    "core5g/udm/package-context.yaml",
    "core5g/udm/udm.yaml",
    "edge-bern/ausf/Kptfile",
    "edge-bern/ausf/README.md",
    "edge-bern/ausf/ausf.yaml",
    "edge-bern/ausf/capacity.yaml",
    "edge-bern/ausf/package-context.yaml",
    "edge-bern/upf-fixed/Kptfile",
    "edge-bern/upf-fixed/README.md",
    "edge-bern/upf-fixed/deployment.yaml",
    "edge-bern/upf-fixed/package-context.yaml",
    "ran-a/o-cu-cp/Kptfile",
    "ran-a/o-cu-cp/README.md",
    "ran-a/o-cu-cp/deployment.yaml",
    "ran-a/o-cu-cp/package-context.yaml",
    "ran-a/o-cu-up/Kptfile",
    "ran-a/o-cu-up/README.md",
    "ran-a/o-cu-up/deployment.yaml",
    "ran-a/o-cu-up/package-context.yaml",
    "ran-a/o-du/Kptfile",
    "ran-a/o-du/README.md",
    "ran-a/o-du/deployment.yaml",
    "ran-a/o-du/package-context.yaml",
    "ran-a/upf/Kptfile",
    "ran-a/upf/README.md",
    "ran-a/upf/deployment.yaml",
    "ran-a/upf/package-context.yaml",
];

/// As [`super::import_files`] takes them.
pub fn files() -> Vec<(String, Vec<u8>)> {
    FILES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_samples_is_in_the_binary() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/packages");
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        assert_eq!(found, FILES.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    }
}
