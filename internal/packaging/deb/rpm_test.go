package deb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRPMFromInstallationToErasure(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm", "mmdebstrap", "unshare", "rpm")
	rpm := made(t, "*.rpm")
	files := output(t, "rpm", "-qp", "--queryformat", `[%{FILEFLAGS:fflags} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]`, rpm)
	for _, line := range []string{
		"cn -rw-r----- root:hookarr /etc/hookarr/hookarr.yaml",
		" drwxr-x--- root:hookarr /etc/hookarr",
		" drwxr-x--- hookarr:hookarr /var/lib/hookarr",
		" -rwxr-xr-x root:root /usr/lib/hookarr/plugins/hookarr-plugins",
		"l -rw-r--r-- root:root /usr/share/licenses/hookarr/LICENSE",
	} {
		require.Contains(t, "\n"+files, "\n"+line+"\n")
	}
	require.Equal(t, "hookarr-plugins", strings.TrimSpace(output(t, "rpm", "-qp", "--queryformat", `[%{FILELINKTOS}\n]`, rpm))[:len("hookarr-plugins")])

	// A Debian serves to run its scripts in; its own packages are not rpm's.
	d := newDebian(t)
	output(t, "rpm", "--root", d.root, "--install", "--nodeps", "--ignorearch", rpm)
	require.Equal(t, strings.TrimLeft(`
750 root:hookarr /etc/hookarr
640 root:hookarr /etc/hookarr/hookarr.yaml
750 hookarr:hookarr /var/lib/hookarr
755 root:root /var/lib/hookarr/plugins
`, "\n"), d.stat("/etc/hookarr", configFile, "/var/lib/hookarr", "/var/lib/hookarr/plugins"))
	require.Contains(t, d.run("hookarr", "check"), configFile+" is ok\n")

	d.edit(configFile, "log: {level: info", "log: {level: debug")
	d.run("touch", "/var/lib/hookarr/hookarr.db")
	output(t, "rpm", "--root", d.root, "--erase", "hookarr")
	require.NoFileExists(t, d.path("/usr/bin/hookarr"))
	require.FileExists(t, d.path(configFile+".rpmsave"))
	require.FileExists(t, d.path("/var/lib/hookarr/hookarr.db"))
}
