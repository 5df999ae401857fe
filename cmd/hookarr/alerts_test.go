package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAlertsNameCommands: whoever is woken by an alert pastes what it says.
func TestAlertsNameCommands(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../examples/prometheus/alerts.yaml")
	require.NoError(t, err)
	commands := regexp.MustCompile("`hookarr ([^`]*)`").FindAllStringSubmatch(string(content), -1)
	require.Greater(t, len(commands), 40)
	seen := map[string]bool{}
	for _, c := range commands {
		args := strings.Fields(regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(c[1], "name"))
		line := strings.Join(args, " ")
		if seen[line] {
			continue
		}
		seen[line] = true
		help := run(t, append(args, "--help")...)
		require.Zero(t, help.code, "hookarr %s: %s", c[1], help.err)
		require.Contains(t, help.out, "hookarr "+strings.Join(commandOf(args), " "), c[1])
	}
}

// commandOf returns the names of a command, up to its arguments.
func commandOf(args []string) []string {
	for i, a := range args {
		if i == 2 || strings.HasPrefix(a, "-") || a == "name" {
			return args[:i]
		}
	}
	return args
}
