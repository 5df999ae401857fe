package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProtocolPageHasTheBounds(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugin-protocol.md"))
	require.NoError(t, err)
	require.Equal(t, 10_000, maxPage)
	require.Equal(t, 1000, maxOptions)
	require.Equal(t, 1000, maxProblems)
	for _, want := range []string{
		fmt.Sprintf("| names and versions | %d bytes |", maxName),
		fmt.Sprintf("| messages, summaries, reasons, problems, `message_id` | %d KiB, on one line |", maxMessage>>10),
		fmt.Sprintf("| `excerpt` | %d KiB |", maxExcerpt>>10),
		fmt.Sprintf("| `state` of a receipt | %d KiB; a longer one is dropped |", maxState>>10),
		fmt.Sprintf("| body of a `SentRequest` | %d KiB |", maxSentBody>>10),
		fmt.Sprintf("| headers of a `SentRequest` | %[1]d, with %[1]d values each |", maxSentHeaders),
		fmt.Sprintf("| an event's JSON | %d MiB,", maxEvent>>20),
		"| events, items or folders of one page | 10,000 |",
		"| options of a key | 1,000 |",
		"| problems, warnings or changes of one answer | 1,000 |",
	} {
		require.Contains(t, string(page), want)
	}
}
