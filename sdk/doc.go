// Package sdk is what the author of a Hookarr plugin imports.
//
// A source plugin turns the webhook requests of one application into events; a
// target plugin delivers events to one kind of endpoint. Each is a program of its
// own that calls [ServeSource] or [ServeTarget] from main. The package owns the
// process, the wire protocol, configuration, logging and health, so that an
// author writes only the work itself. PLUGINS.md at the root of the repository
// is the guide; package plugintest is the test kit.
//
// # Configuration
//
// An instance's configuration is a struct of the author's, and its tags say all
// there is to know of it: the schema, the checks and the defaults come from them.
//
//	json:"key"               the key, as encoding/json has it
//	doc:"…"                  what it is for; every key needs one
//	hookarr:"required"       the key must be there and not empty
//	hookarr:"default=POST"   what an absent key stands for
//	hookarr:"enum=a|b"       the only values; for a list, of its entries
//
// Options of the hookarr tag are joined by commas: "default=a,enum=a|b". Strings are
// written as they are, other values as JSON. The limits of
// github.com/invopop/jsonschema's tag work too: jsonschema:"minimum=1,maximum=50".
// Use [Secret] for what nobody may see, [Duration] for times such as 30s, and
// net/netip and other types that read themselves from text as they are.
//
// A configuration that has a method Validate() error is asked last. Errors made by
// [Problem] name the key that is wrong; errors.Join reports several at once.
package sdk
