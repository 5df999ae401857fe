package app

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

func TestOwnHosts(t *testing.T) {
	t.Parallel()
	name, err := os.Hostname()
	require.NoError(t, err)
	c := &config.Config{Hosts: config.Hosts{"hooks.example.com"}, Listen: "nas.example.org:8484"}
	require.Equal(t, []string{"hooks.example.com", "nas.example.org", name}, ownHosts(c))
}
