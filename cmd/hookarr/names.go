package main

import (
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

// meant ends a message about a name that is not there: with the one that was probably
// meant, or with all that there are.
func meant(name string, known []string) string {
	if suggestion := config.Suggest(name, known); suggestion != "" {
		return suggestion
	}
	if len(known) == 0 {
		return "; there is none"
	}
	return "; there are " + strings.Join(known, ", ")
}

// warnUnknown warns of a filter by a source or target that the configuration does not
// have. It is no error: the database remembers those that were removed.
func (c *cli) warnUnknown(kind, name string, known []string) {
	if name != "" && !slices.Contains(known, name) {
		c.tell("warning: --" + kind + ": no " + kind + " is called \"" + clean(name, titleWidth) + "\"" + meant(name, known))
	}
}

// warnUnknownType warns of a filter by what is no event type of this version. Types of a
// plugin's own have a dot.
func (c *cli) warnUnknownType(t sdk.Type) {
	if t != "" && !slices.Contains(sdk.Types(), t) {
		c.tell("warning: --type: \"" + clean(string(t), titleWidth) + "\" is no event type of Hookarr's own" + suggestType(string(t)))
	}
}

// warnNames warns of filters by names that the configuration does not have, where the
// server is the one that it is of.
func (c *cli) warnNames(target, source string, t sdk.Type) {
	c.warnUnknownType(t)
	if c.server != "" || c.socket != "" || target == "" && source == "" {
		return
	}
	if f, err := c.readSettings(); err == nil {
		c.warnUnknown("target", target, targetNames(f.config))
		c.warnUnknown("source", source, append(sourceNames(f.config), sdk.SourceHookarr))
	}
}
