package mediabrowser

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Brand is what differs between the servers.
type Brand struct {
	// Kind is the plugin's name, Name what people call the server.
	Kind, Name string
	// authorize puts the key into a request's headers.
	authorize func(h http.Header, key sdk.Secret)
	// folders are the paths that list the libraries; the first that the server has is used.
	folders []string
	// fields are what is asked for of each item: cheap ones. The files of an item that has
	// several versions cost the server a query each, and are asked for by the item's id.
	fields string
	// refresh are the parameters of an item's refresh.
	refresh url.Values
	// finds says that items can be asked for by their path and by their ids elsewhere, and
	// that they do not tell how many versions they have.
	finds bool
	// page is the path of an item's page, for people.
	page string
	// refused says why a key is refused, for what the server says of itself.
	refused func(about) string
}

// about is what a server says of itself to anybody.
type about struct {
	ServerName  string
	ProductName string
	Version     string
}

// isJellyfin reports whether the server calls itself one; Emby gives no product's name.
func (a about) isJellyfin() bool { return strings.Contains(a.ProductName, "Jellyfin") }

// before reports whether the version is lower than major.minor.
func (a about) before(major, minor int) bool {
	first, rest, _ := strings.Cut(a.Version, ".")
	second, _, _ := strings.Cut(rest, ".")
	had, err := strconv.Atoi(first)
	next, err2 := strconv.Atoi(second)
	return err == nil && err2 == nil && cmp.Or(cmp.Compare(had, major), cmp.Compare(next, minor)) < 0
}

// refresh returns the parameters of a refresh that looks for files and reads metadata of
// what is new. Without them a server reads no metadata at all. Nothing is replaced: what
// people wrote by hand stays.
func refresh() url.Values {
	return url.Values{
		"metadataRefreshMode": {"Default"}, "imageRefreshMode": {"Default"},
		"replaceAllMetadata": {"false"}, "replaceAllImages": {"false"},
	}
}

// Jellyfin is asked with the one kind of credentials that all versions from 10.8 to 12 take
// (AuthorizationContext.cs). A client's, a device's or a version's name beside the token
// would be written over those of the key.
func Jellyfin() Brand {
	return Brand{
		Kind: "jellyfin", Name: "Jellyfin",
		authorize: func(h http.Header, key sdk.Secret) {
			h.Set("Authorization", `MediaBrowser Token="`+key.Reveal()+`"`)
		},
		folders: []string{"/Library/VirtualFolders"},
		fields:  "Path,ProviderIds,DateCreated,MediaSourceCount",
		refresh: refresh(),
		page:    "/web/#/details?id=",
		refused: func(a about) string {
			switch {
			case a.Version == "":
				return "check url and api_key"
			case !a.isJellyfin():
				return fmt.Sprintf("it does not call itself Jellyfin: for Emby, use the plugin emby (its version is %s)", a.Version)
			case a.before(10, 8):
				return fmt.Sprintf("Jellyfin %s is too old to take an API key this way: update it to 10.8 or later", a.Version)
			default:
				return fmt.Sprintf("Jellyfin %s does not know the key: make one under Dashboard, API Keys, and set api_key; if it is right, a proxy in between takes the header Authorization away, the only one with a key that Jellyfin 12 reads", a.Version)
			}
		},
	}
}

// Emby is asked with its own header.
func Emby() Brand {
	values := refresh()
	values.Set("Recursive", "true") // without it, a folder's children are left alone
	return Brand{
		Kind: "emby", Name: "Emby",
		authorize: func(h http.Header, key sdk.Secret) { h.Set("X-Emby-Token", key.Reveal()) },
		// The OpenAPI document lists the first alone; older servers have the second.
		folders: []string{"/Library/VirtualFolders/Query", "/Library/VirtualFolders"},
		fields:  "Path,ProviderIds,DateCreated",
		refresh: values,
		finds:   true,
		page:    "/web/index.html#!/item?id=",
		refused: func(a about) string {
			if a.isJellyfin() {
				return fmt.Sprintf("this is Jellyfin %s, which since 12 refuses the header X-Emby-Token: use the plugin jellyfin", a.Version)
			}
			return "make a key under Settings, API Keys, and set api_key"
		},
	}
}
