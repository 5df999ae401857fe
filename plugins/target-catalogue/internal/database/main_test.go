package database

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The server of the tests ends with the process.
		goleak.IgnoreAnyFunction("github.com/hookarr/hookarr/internal/testpg.(*Server).Start.func1"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"),
	)
}
