//! The C header against the Rust types, by a C compiler: sizes, places of fields, signatures, the ABI number.

use linodetool_plugin::abi::{ABI, ENTRY, LtIn, LtOut, LtPlugin};
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a C file against the headers, strictly, and runs it.
pub(crate) fn run_c(name: &str, source: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (file, program) = (folder.join("main.c"), folder.join("main"));
    std::fs::write(&file, source).expect("a file");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let compiled = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror", "-pedantic", "-I"])
        .arg(include)
        .arg(&file)
        .arg("-o")
        .arg(&program)
        .output()
        .expect("a C compiler named cc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let run = Command::new(&program).output().expect("it runs");
    assert!(run.status.success(), "{:?}: {}", run.status, String::from_utf8_lossy(&run.stderr));
    std::fs::remove_dir_all(&folder).expect("its folder goes");
    String::from_utf8(run.stdout).expect("UTF-8")
}

#[test]
fn the_header_says_what_the_rust_types_say() {
    let fields = ["abi", "size", "describe", "open", "step", "close", "release"];
    let mut source = String::from("#include \"linodetool_plugin.h\"\n#include <stdio.h>\n");
    // Signatures: an assignment of another type would not compile.
    source += "static lt_out d(void) { lt_out o = {0}; return o; }\n";
    source += "static int32_t o(lt_in c, void **i, lt_out *e) { (void)c; (void)i; (void)e; return 0; }\n";
    source += "static lt_out s(void *i, lt_in m) { (void)i; (void)m; return d(); }\n";
    source += "static void c(void *i) { (void)i; }\nstatic void r(lt_out out) { (void)out; }\n";
    source += "static const lt_plugin t = { LINODETOOL_ABI, sizeof(lt_plugin), d, o, s, c, r };\n";
    source += "const lt_plugin *linodetool_plugin(void) { return &t; }\n";
    source += "#define AT(type, field) printf(#type \".\" #field \" %zu\\n\", offsetof(type, field))\n";
    source +=
        "int main(void) {\n  printf(\"abi %u %u\\n\", (unsigned)LINODETOOL_ABI, (unsigned)linodetool_plugin()->abi);\n";
    source += "  printf(\"sizes %zu %zu %zu\\n\", sizeof(lt_in), sizeof(lt_out), sizeof(lt_plugin));\n";
    source += "  AT(lt_in, ptr); AT(lt_in, len); AT(lt_out, ptr); AT(lt_out, len); AT(lt_out, cap);\n";
    for field in fields {
        source += &format!("  AT(lt_plugin, {field});\n");
    }
    source += "  return 0;\n}\n";

    let mut expected = format!("abi {ABI} {ABI}\n");
    expected += &format!("sizes {} {} {}\n", size_of::<LtIn>(), size_of::<LtOut>(), size_of::<LtPlugin>());
    expected += &format!("lt_in.ptr {}\nlt_in.len {}\n", offset_of!(LtIn, ptr), offset_of!(LtIn, len));
    expected += &format!("lt_out.ptr {}\nlt_out.len {}\n", offset_of!(LtOut, ptr), offset_of!(LtOut, len));
    expected += &format!("lt_out.cap {}\n", offset_of!(LtOut, cap));
    let offsets = [
        offset_of!(LtPlugin, abi),
        offset_of!(LtPlugin, size),
        offset_of!(LtPlugin, describe),
        offset_of!(LtPlugin, open),
        offset_of!(LtPlugin, step),
        offset_of!(LtPlugin, close),
        offset_of!(LtPlugin, release),
    ];
    for (field, offset) in fields.iter().zip(offsets) {
        expected += &format!("lt_plugin.{field} {offset}\n");
    }
    assert_eq!(run_c("border", &source), expected);
}

#[test]
fn the_header_names_the_symbol() {
    let header = include_str!("../../include/linodetool_plugin.h");
    assert!(header.contains(&format!("LT_EXPORT const lt_plugin *{ENTRY}(void);")));
}
