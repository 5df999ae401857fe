package catalogue

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childVariable); task != "" {
		var c child
		err := json.Unmarshal([]byte(task), &c)
		if err == nil {
			err = c.run()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Bool("update", false, "write the golden files")
	goleak.VerifyTestMain(m,
		// The server of the tests ends with the process.
		goleak.IgnoreAnyFunction("github.com/hookarr/hookarr/internal/testpg.(*Server).Start.func1"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"),
	)
}
