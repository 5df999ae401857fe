package main

import (
	"bytes"
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/docs"
)

var site = sync.OnceValues(func() (*docs.Site, error) { return docs.Load(os.DirFS("../..")) })

// TestDocumentedCommands holds every command line of the documentation against the commands
// that there are.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	s, err := site()
	require.NoError(t, err)
	checked, inBlocks := 0, 0
	for name, page := range s.Pages {
		for _, call := range page.Calls() {
			args, ok := docs.Hookarr(call.Args)
			if !ok {
				continue
			}
			checked++
			if !call.InSentence {
				inBlocks++
			}
			if err := judgeLine(args, call.InSentence); err != nil {
				t.Errorf("%s:%d: hookarr %s: %s", name, call.Line, strings.Join(args, " "), err)
			}
		}
	}
	require.Greater(t, checked, 150)
	require.Greater(t, inBlocks, 40)
}

// judgeLine returns what the program would say of a command line before it begins. In a
// sentence, what stands for a group of commands, or for arguments, may be left out.
func judgeLine(args []string, inSentence bool) error {
	root := (&cli{out: new(bytes.Buffer), err: new(bytes.Buffer)}).newRoot()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	rest = slices.DeleteFunc(rest, func(arg string) bool { return arg == "…" }) // and so on
	switch err := cmd.ParseFlags(rest); {
	case errors.Is(err, pflag.ErrHelp):
		return nil
	case err != nil:
		if _, lacksValue := errors.AsType[*pflag.ValueRequiredError](err); lacksValue && inSentence {
			return nil
		}
		return flagError(cmd, err)
	}
	if cmd.HasParent() && cmd.Parent().Name() == "completion" {
		return nil // cobra's own
	}
	given := cmd.Flags().Args()
	if err := cmd.ValidateArgs(given); err != nil && (!inSentence || len(given) > 0) {
		return err
	}
	if cmd.HasSubCommands() && cmd != root && !inSentence {
		return needsCommand(cmd, given)
	}
	return nil
}

func TestWrongCommandLinesAreFound(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"events why ID":                    "",
		"events":                           "give a command: ",
		"event list":                       `unknown command "event"`,
		"events lst":                       `unknown command "lst"; did you mean "list"?`,
		"events list --sourc radarr":       `unknown flag --sourc; did you mean "--source"?`,
		"events list --limit":              "--limit needs a value",
		"events show":                      "give ID",
		"events show a b":                  `"b" is one argument too many`,
		"--version":                        "",
		"events list --help":               "",
		"completion bash":                  "",
		"plugins new target demo --from x": "",
		"nothing":                          `unknown command "nothing"`,
	} {
		err := judgeLine(strings.Fields(line), false)
		if want == "" {
			require.NoError(t, err, line)
			continue
		}
		require.ErrorContains(t, err, want, line)
	}
	require.NoError(t, judgeLine([]string{"events"}, true))
	require.NoError(t, judgeLine([]string{"events", "show"}, true))
	require.Error(t, judgeLine([]string{"events", "lst"}, true))
	require.Error(t, judgeLine([]string{"events", "list", "--sourc", "radarr"}, true))
}

// TestEveryCommandIsDocumented compares the table of the operators' page with the commands,
// and rewrites it with -update.
func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	const (
		file  = "../../docs/operations.md"
		begin = "<!-- commands -->\n"
		end   = "<!-- /commands -->\n"
	)
	var table strings.Builder
	table.WriteString("| command | does |\n|---|---|\n")
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || slices.Contains([]string{"completion", "help"}, cmd.Name()) {
			return // cobra's own
		}
		if !cmd.HasSubCommands() {
			_, line, _ := strings.Cut(cmd.CommandPath(), " ")
			if words := strings.Fields(cmd.Use); len(words) > 1 {
				line += " " + strings.Join(words[1:], " ")
			}
			table.WriteString("| `" + strings.ReplaceAll(line, "|", `\|`) + "` | " + strings.ReplaceAll(cmd.Short, "|", `\|`) + " |\n")
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	root := new(cli).newRoot()
	walk(root)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(content), begin)
	require.True(t, ok, "%s has no table of commands", path.Base(file))
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no end of the table of commands", path.Base(file))
	want := before + begin + table.String() + end + after
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(content), "docs/operations.md has other commands: run go test ./cmd/hookarr -run EveryCommandIsDocumented -update")
	for _, code := range []string{"| `0` |", "| `1` |", "| `2` |", "| `78` |"} {
		require.Contains(t, string(content), code, "an exit code is not documented")
	}
}
