package fakearr

import "slices"

// profile is how an application differs from the others, its titles aside.
type profile struct {
	// product is the name in the user agent and of the instance.
	product string
	version string
	api     string
	// flags are the events that a connection can ask for, and what narrows them.
	flags []string
	// headers tells whether a connection can send headers of its own.
	headers bool
	// testPrefix precedes what went wrong with a test.
	testPrefix string
	// withoutURL are the events that do not carry the application's address.
	withoutURL []string
	// agentAppends tells that a header User-Agent of the connection is appended to the
	// application's own; elsewhere it makes every delivery fail.
	agentAppends bool
	// renameAlone tells that a connection whose only flag is onRename is enabled.
	renameAlone bool
	// idFromBody tells that an update takes the id from the body only.
	idFromBody bool
	family     func(*Arr) family
}

// Flags that ask for no event of their own.
func narrows(flag string) bool {
	return slices.Contains([]string{
		"onUpgrade", "onMovieFileDeleteForUpgrade", "onEpisodeFileDeleteForUpgrade", "onBookFileDeleteForUpgrade", "includeHealthWarnings",
	}, flag)
}

const unableToTest = "Unable to send test message: "

func profiles() map[App]profile {
	appFlags := []string{"onHealthIssue", "includeHealthWarnings", "onHealthRestored", "onApplicationUpdate"}
	movie := append([]string{
		"onGrab", "onDownload", "onUpgrade", "onRename", "onMovieAdded", "onMovieDelete",
		"onMovieFileDelete", "onMovieFileDeleteForUpgrade", "onManualInteractionRequired",
	}, appFlags...)
	episode := append([]string{
		"onGrab", "onDownload", "onUpgrade", "onRename", "onSeriesAdd", "onSeriesDelete",
		"onEpisodeFileDelete", "onEpisodeFileDeleteForUpgrade", "onManualInteractionRequired",
	}, appFlags...)
	artist := append([]string{
		"onGrab", "onReleaseImport", "onUpgrade", "onRename", "onArtistAdd", "onArtistDelete", "onAlbumDelete",
		"onDownloadFailure", "onImportFailure", "onTrackRetag",
	}, appFlags...)
	author := []string{
		"onGrab", "onReleaseImport", "onUpgrade", "onRename", "onAuthorAdded", "onAuthorDelete", "onBookDelete", "onBookFileDelete",
		"onBookFileDeleteForUpgrade", "onHealthIssue", "includeHealthWarnings", "onDownloadFailure", "onImportFailure", "onBookRetag",
		"onApplicationUpdate",
	}
	return map[App]profile{
		Radarr: {
			product: "Radarr", version: "6.1.0.10317", api: "/api/v3", flags: movie,
			headers: true, testPrefix: unableToTest, withoutURL: []string{"HealthRestored"}, renameAlone: true,
			family: func(a *Arr) family { return movies{a} },
		},
		Sonarr: {
			product: "Sonarr", version: "4.0.19.2979", api: "/api/v3", flags: append(slices.Clone(episode), "onImportComplete"),
			headers: true, agentAppends: true, testPrefix: unableToTest, renameAlone: true,
			withoutURL: []string{"Health", "HealthRestored", "ApplicationUpdate"},
			family:     func(a *Arr) family { return series{a} },
		},
		Lidarr: {
			product: "Lidarr", version: "2.14.5.4836", api: "/api/v1", flags: artist,
			headers: true, withoutURL: []string{"HealthRestored"}, renameAlone: true,
			family: func(a *Arr) family { return music{a} },
		},
		Readarr: {
			product: "Readarr", version: "0.4.18.2805", api: "/api/v1", flags: author, renameAlone: true,
			withoutURL: []string{
				"Grab", "Download", "Rename", "Retag", "AuthorAdded", "AuthorDelete", "BookDelete", "BookFileDelete", "Health",
				"ApplicationUpdate", "Test",
			},
			family: func(a *Arr) family { return books{a} },
		},
		WhisparrV2: {
			product: "Whisparr", version: "2.0.0.548", api: "/api/v3", flags: episode, idFromBody: true,
			withoutURL: []string{"Health", "HealthRestored", "ApplicationUpdate"},
			family:     func(a *Arr) family { return series{a} },
		},
		WhisparrV3: {
			product: "Whisparr", version: "3.2.0.27", api: "/api/v3", flags: movie,
			headers: true, testPrefix: unableToTest, withoutURL: []string{"HealthRestored"}, renameAlone: true,
			family: func(a *Arr) family { return movies{a} },
		},
	}
}
