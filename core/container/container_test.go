package container_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/container"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	c, err := container.Read(env("PUID", "abc", "UMASK", "999"))
	require.NoError(t, err, "of other programs")
	require.Zero(t, c)

	mask := 0o27
	c, err = container.Read(env("HOOKARR_VOLUME", "/config", "PUID", "99", "PGID", "100", "UMASK", "027"))
	require.NoError(t, err)
	require.Equal(t, container.Container{Volume: "/config", UID: 99, GID: 100, Umask: &mask}, c)
	c, err = container.Read(env("HOOKARR_VOLUME", "/config"))
	require.NoError(t, err)
	require.Equal(t, container.Container{Volume: "/config"}, c)

	for _, tt := range []struct{ uid, gid, umask, err string }{
		{"abc", "100", "", `PUID="abc" is no number of a user: want 1 to 2147483647, such as PUID=1000`},
		{"-1", "100", "", `PUID="-1" is no number of a user`},
		{"4294967295", "100", "", `PUID="4294967295" is no number of a user`},
		{"0", "100", "", "PUID=0 is root, which Hookarr has no use for: set it to the number of the user that the volume is for"},
		{"99", "users", "", `PGID="users" is no number of a group`},
		{"99", "0", "", "PGID=0 is root"},
		{"99", "", "", "PUID is set and PGID is not: set both, such as PUID=99 and PGID=99"},
		{"", "100", "", "PGID is set and PUID is not: set both, such as PUID=100 and PGID=100"},
		{"99", "100", "999", `UMASK="999" is no umask: want octal digits, such as UMASK=022`},
		{"99", "100", "1000", `UMASK="1000" is no umask`},
		{"99", "100", "-1", `UMASK="-1" is no umask`},
		{"99", "100", "277", "UMASK=277 would keep Hookarr from its own files"},
	} {
		_, err := container.Read(env("HOOKARR_VOLUME", "/config", "PUID", tt.uid, "PGID", tt.gid, "UMASK", tt.umask))
		require.ErrorContains(t, err, tt.err)
	}
}
