// Command hookarr-plugins is the plugins that come with Hookarr, in one file: processes of one
// file share the memory of its code. The name under which it is started says which of them it
// is. Each runs as a process of its own.
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	generic "github.com/hookarr/hookarr/plugins/source-generic"
	lidarr "github.com/hookarr/hookarr/plugins/source-lidarr"
	prowlarr "github.com/hookarr/hookarr/plugins/source-prowlarr"
	radarr "github.com/hookarr/hookarr/plugins/source-radarr"
	readarr "github.com/hookarr/hookarr/plugins/source-readarr"
	sonarr "github.com/hookarr/hookarr/plugins/source-sonarr"
	whisparr "github.com/hookarr/hookarr/plugins/source-whisparr"
	apprise "github.com/hookarr/hookarr/plugins/target-apprise"
	audiobookshelf "github.com/hookarr/hookarr/plugins/target-audiobookshelf"
	catalogue "github.com/hookarr/hookarr/plugins/target-catalogue"
	discord "github.com/hookarr/hookarr/plugins/target-discord"
	email "github.com/hookarr/hookarr/plugins/target-email"
	emby "github.com/hookarr/hookarr/plugins/target-emby"
	jellyfin "github.com/hookarr/hookarr/plugins/target-jellyfin"
	kodi "github.com/hookarr/hookarr/plugins/target-kodi"
	navidrome "github.com/hookarr/hookarr/plugins/target-navidrome"
	ntfy "github.com/hookarr/hookarr/plugins/target-ntfy"
	plex "github.com/hookarr/hookarr/plugins/target-plex"
	slack "github.com/hookarr/hookarr/plugins/target-slack"
	stash "github.com/hookarr/hookarr/plugins/target-stash"
	telegram "github.com/hookarr/hookarr/plugins/target-telegram"
	webhook "github.com/hookarr/hookarr/plugins/target-webhook"
)

// prefix begins the names of plugins' files.
const prefix = "hookarr-"

// plugins has what serves each plugin, by the directory of its source. None of them returns.
func plugins() map[string]func() {
	return map[string]func(){
		"source-generic":        generic.Serve,
		"source-lidarr":         lidarr.Serve,
		"source-prowlarr":       prowlarr.Serve,
		"source-radarr":         radarr.Serve,
		"source-readarr":        readarr.Serve,
		"source-sonarr":         sonarr.Serve,
		"source-whisparr":       whisparr.Serve,
		"target-apprise":        apprise.Serve,
		"target-audiobookshelf": audiobookshelf.Serve,
		"target-catalogue":      catalogue.Serve,
		"target-discord":        discord.Serve,
		"target-email":          email.Serve,
		"target-emby":           emby.Serve,
		"target-jellyfin":       jellyfin.Serve,
		"target-kodi":           kodi.Serve,
		"target-navidrome":      navidrome.Serve,
		"target-ntfy":           ntfy.Serve,
		"target-plex":           plex.Serve,
		"target-slack":          slack.Serve,
		"target-stash":          stash.Serve,
		"target-telegram":       telegram.Serve,
		"target-webhook":        webhook.Serve,
	}
}

func main() {
	name := filepath.Base(os.Args[0])
	plugin, isPlugin := strings.CutPrefix(name, prefix)
	if serve := plugins()[plugin]; isPlugin && serve != nil {
		serve()
	}
	explain(os.Stderr, name)
	os.Exit(2)
}

// explain says to whoever started the file under a name that is none of a plugin what it is.
// Hookarr shows the last line.
func explain(w io.Writer, name string) {
	_, _ = fmt.Fprintf(w, "%s is the file of the plugins that come with Hookarr, which starts them by their names:\n", name)
	for _, plugin := range slices.Sorted(maps.Keys(plugins())) {
		_, _ = fmt.Fprintf(w, "  %s%s\n", prefix, plugin)
	}
	_, _ = fmt.Fprintf(w, "%s is none of them: call a link to the file like the plugin that it is to be, as does ln -s %[1]s %starget-discord\n", name, prefix)
}
