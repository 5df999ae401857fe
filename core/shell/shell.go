// Package shell writes commands for people to paste into a shell.
package shell

import (
	"regexp"
	"strings"
)

// safe are words that a shell takes as they are.
var safe = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Command returns a command of these words, or a part of one, as a POSIX shell takes it.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if !safe.MatchString(w) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
