//! The JSON helper for plugins in C: compiled strictly and used once from end to end.

use crate::border::run_c;
use expect_test::expect;

/// Reads a call, answers it, and shows what reading what is not there gives.
const SOURCE: &str = r#"
#include "linodetool_json.h"

static void show(const char *json, const char *path) {
  lt_in in; lt_json v;
  in.ptr = (const uint8_t *)json; in.len = strlen(json);
  v = lt_get(lt_parse(in), path);
  if (v.at) printf("%s = %.*s\n", path, (int)(v.end - v.at), v.at); else printf("%s: none\n", path);
}

int main(void) {
  const char *text = " [ {\"t\":\"call\", \"id\":41, \"op\":\"regions.list\", \"args\":{\"a\":{\"b\":[1,\"]\"]},\"n\":-5}} , {\"t\":\"x\\\"y\"} ]";
  lt_in in; lt_json all, m = { NULL, NULL }; lt_buffer b = { NULL, 0, 0, 0 }; lt_out out;
  in.ptr = (const uint8_t *)text; in.len = strlen(text);
  all = lt_parse(in);
  lt_write(&b, "[");
  while (lt_next(all, &m)) {
    if (lt_is(lt_get(m, "t"), "call"))
      lt_write(&b, "%,{\"t\":\"done\",\"id\":%d,\"value\":{\"args\":%v,\"id\":%t,\"text\":%s,\"none\":%v}}",
        lt_int(lt_get(m, "id")), lt_get(m, "args"), lt_get(m, "id"), "a \"b\"\n", lt_get(m, "nothing"));
    else
      lt_write(&b, "%,{\"t\":\"log\",\"level\":\"info\",\"message\":\"unknown %r\"}", lt_get(m, "t"));
  }
  lt_write(&b, "]");
  out = lt_hand_out(b);
  printf("%.*s\n", (int)out.len, (const char *)out.ptr);
  lt_release(out);
  show("{\"a\":{\"b\":[1,\"]\"]},\"n\":-5}", "a.b");
  show("{\"a\":{\"b\":[1,\"]\"]},\"n\":-5}", "n");
  show("{\"a\":1}", "a.b");
  show("{\"a\":", "a");
  show("", "a");
  show("[1]", "a");
  show("{\"a\":\"x", "a");
  show("{\"a\":\"x\\", "a");
  show("{\"a\\u0062\":1,\"c\" : \"d\"}", "c");
  return 0;
}
"#;

#[test]
fn a_call_is_read_and_answered() {
    expect![[r#"
        [{"t":"done","id":41,"value":{"args":{"a":{"b":[1,"]"]},"n":-5},"id":"41","text":"a \"b\"\u000a","none":null}},{"t":"log","level":"info","message":"unknown x\"y"}]
        a.b = [1,"]"]
        n = -5
        a.b: none
        a: none
        a: none
        a: none
        a = "x
        a = "x\
        c = "d"
    "#]].assert_eq(&run_c("json-helper", SOURCE));
}
