package docs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/docs"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	session := docs.Block{Language: "console", Line: 3, Text: "$ echo a \\\n  b\na b\n\nc\n$ cat <<END\nd\nEND\nd\n$ true\n"}
	steps, err := session.Steps()
	require.NoError(t, err)
	require.Equal(t, []docs.Step{
		{Line: 3, Text: "echo a \\\n  b\n", Output: "a b\n\nc\n"},
		{Line: 8, Text: "cat <<END\nd\nEND\n", Output: "d\n"},
		{Line: 12, Text: "true\n"},
	}, steps)

	script := docs.Block{Language: "sh", Line: 3, Text: "a\nb\n"}
	steps, err = script.Steps()
	require.NoError(t, err)
	require.Equal(t, []docs.Step{{Line: 3, Text: "a\nb\n"}}, steps)
	script.Language = "console"
	steps, err = script.Steps()
	require.NoError(t, err)
	require.Equal(t, []docs.Step{{Line: 3, Text: "a\nb\n"}}, steps)
}

func TestCalls(t *testing.T) {
	t.Parallel()
	calls, err := docs.Calls(`
sudo -u hookarr bin/hookarr events list --source "radarr" # a comment
X=1 hookarr check; docker compose exec -u 99 app hookarr 'targets' list | head
docker exec hookarr hookarr events why $(hookarr events list --json | jq -r '.[0].id')
systemctl restart hookarr
docker run --rm hookarr check
env A=b hookarr silences add 'event.source == "a"' --for 2h
`)
	require.NoError(t, err)
	var lines [][]string
	for _, call := range calls {
		if args, ok := docs.Hookarr(call); ok {
			lines = append(lines, args)
		}
	}
	require.Equal(t, [][]string{
		{"events", "list", "--source", "radarr"},
		{"check"},
		{"targets", "list"},
		{"events", "why", "$(hookarr events list --json | jq -r '.[0].id')"},
		{"events", "list", "--json"},
		{"silences", "add", `event.source == "a"`, "--for", "2h"},
	}, lines)
	_, err = docs.Calls("for")
	require.Error(t, err)
}
