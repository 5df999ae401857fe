package image

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestImage has what those who run it rely on.
func TestImage(t *testing.T) {
	t.Parallel()
	need(t, "buildah", "make")
	root, err := image()
	require.NoError(t, err)
	var is struct {
		Docker struct {
			Architecture string
			Config       struct {
				User, WorkingDir      string
				Env, Cmd, Entrypoint  []string
				Volumes, ExposedPorts map[string]any
				Labels                map[string]string
				Healthcheck           struct {
					Test                           []string
					Interval, Timeout, StartPeriod time.Duration
					Retries                        int
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(output(t, buildah("buildah", "inspect", "--type", "image", imageName))), &is))
	c := is.Docker.Config
	require.Equal(t, []string{"/usr/bin/hookarr"}, c.Entrypoint)
	require.Equal(t, []string{"serve", "--init"}, c.Cmd)
	require.Empty(t, c.User, "root gives the volume away and becomes another")
	require.Equal(t, "/config", c.WorkingDir)
	require.Contains(t, c.Volumes, "/config")
	require.Equal(t, map[string]any{"8484/tcp": map[string]any{}}, c.ExposedPorts)
	require.Equal(t, []string{"CMD", "/usr/bin/hookarr", "healthcheck"}, c.Healthcheck.Test)
	require.Equal(t, 30*time.Second, c.Healthcheck.Interval)
	require.Subset(t, c.Env, []string{"HOOKARR_VOLUME=/config", "PUID=1000", "PGID=1000", "UMASK=022"})
	require.Equal(t, "Apache-2.0", c.Labels["org.opencontainers.image.licenses"])
	for _, label := range []string{"title", "description", "source", "documentation", "version", "revision"} {
		require.NotEmpty(t, c.Labels["org.opencontainers.image."+label], label)
	}

	modes := map[string]fs.FileMode{
		"usr/bin/hookarr": 0o755, "usr/lib/hookarr/plugins": fs.ModeDir | 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644,
		"usr/share/doc/hookarr/LICENSE": 0o644, "usr/share/doc/hookarr/THIRD-PARTY-NOTICES.txt": 0o644, "tmp": fs.ModeDir | fs.ModeSticky | 0o777, "config": fs.ModeDir | fs.ModeSticky | 0o777,
	}
	for name, mode := range modes {
		info, err := os.Stat(filepath.Join(root, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), name)
	}
	_, err = os.Stat(filepath.Join(root, "usr/lib/hookarr/plugins/hookarr-source-radarr"))
	require.NoError(t, err)
}

// TestCompose: the examples are what Compose takes.
func TestCompose(t *testing.T) {
	t.Parallel()
	need(t, "docker-compose")
	for _, name := range []string{"compose.yaml", "compose.postgres.yaml"} {
		cmd := exec.Command("docker-compose", "--file", "../../../examples/compose/"+name, "config", "--quiet")
		cmd.Env = append(os.Environ(), "DATABASE_PASSWORD=0123456789abcdef")
		require.Empty(t, output(t, cmd), name)
	}
	cmd := exec.Command("docker-compose", "--file", "../../../examples/compose/compose.postgres.yaml", "config", "--quiet")
	said, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "set it in the file .env")
}
