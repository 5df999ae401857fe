// Package sdk is what the author of a Hookarr plugin imports.
//
// A source plugin turns the webhook requests of one application into events; a
// target plugin delivers events to one kind of endpoint. Each is a program of its
// own that calls [ServeSource] or [ServeTarget] from main. The package owns the
// process, the wire protocol, configuration, logging and health, so that an
// author writes only the work itself. PLUGINS.md at the root of the repository
// is the guide; package plugintest is the test kit.
package sdk
