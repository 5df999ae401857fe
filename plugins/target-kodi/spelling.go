package kodi

import (
	"net/url"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

// spelling knows how Kodi writes the folders of its sources: it knows them by no other
// spelling, and some have a password in them, which is shown to nobody.
type spelling []source

type source struct {
	// root is as people write it, raw as Kodi does, both without a separator at the end.
	root, raw string
}

// learn adds a folder of a source and returns it as people write it.
func (s *spelling) learn(raw string) string {
	raw = strings.TrimRight(raw, `/\`)
	root := pathmap.Clean(withoutUser(raw))
	*s = append(*s, source{root, raw})
	return root
}

// spell is a path as Kodi writes it, without a separator at the end.
func (s spelling) spell(path string) string {
	for _, known := range s {
		if in, ok := pathmap.Within(path, known.root); ok {
			if in == "" {
				return known.raw
			}
			return known.raw + separatorOf(known.raw) + in
		}
	}
	return path
}

// read is a path that Kodi wrote.
func (s spelling) read(path string) string {
	for _, known := range s {
		if rest, ok := strings.CutPrefix(path, known.raw); ok && (rest == "" || strings.ContainsAny(rest[:1], `/\`)) {
			return known.root + rest
		}
	}
	return withoutUser(path)
}

// withoutUser is an address without the user and the password in it.
func withoutUser(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	return strings.TrimSuffix(scheme+"://"+host+"/"+path, "/")
}

// foldersOf are the folders of a source: several, where it was made of several. Kodi's own
// lists are none.
func foldersOf(file string) []string {
	scheme, rest, ok := strings.Cut(file, "://")
	switch {
	case !ok:
		return []string{file}
	case scheme == "multipath":
		var all []string
		for part := range strings.SplitSeq(strings.Trim(rest, "/"), "/") {
			if folder, err := url.PathUnescape(part); err == nil {
				all = append(all, foldersOf(folder)...)
			}
		}
		return all
	case slices.Contains([]string{"special", "library", "addons", "plugin", "pvr", "upnp", "videodb", "musicdb", "sources"}, scheme):
		return nil
	default:
		return []string{file}
	}
}

// separatorOf is what Kodi has at the end of a folder.
func separatorOf(path string) string {
	if strings.Contains(path, `\`) && !strings.Contains(path, "/") {
		return `\`
	}
	return "/"
}
