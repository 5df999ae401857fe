package sdk

import "time"

// Type says what happened. Types are dotted, so that routes can match them by
// prefix; new ones may be added.
type Type string

// The event types.
const (
	TypeTest                      Type = "test"
	TypeReleaseGrabbed            Type = "release.grabbed"
	TypeMediaImported             Type = "media.imported"
	TypeMediaUpgraded             Type = "media.upgraded"
	TypeImportCompleted           Type = "import.completed"
	TypeImportFailed              Type = "import.failed"
	TypeDownloadFailed            Type = "download.failed"
	TypeFileRenamed               Type = "file.renamed"
	TypeFileRetagged              Type = "file.retagged"
	TypeFileDeleted               Type = "file.deleted"
	TypeFileDeletedForUpgrade     Type = "file.deleted_for_upgrade"
	TypeMediaAdded                Type = "media.added"
	TypeMediaDeleted              Type = "media.deleted"
	TypeHealthIssue               Type = "health.issue"
	TypeHealthRestored            Type = "health.restored"
	TypeAppUpdated                Type = "app.updated"
	TypeManualInteractionRequired Type = "manual_interaction.required"
	TypeUnknown                   Type = "unknown"

	// TypeMediaUpdated is told by snapshots: applications send no webhook for it.
	TypeMediaUpdated Type = "media.updated"

	// Those of targets that asked a media server for what they had delivered.
	TypeLibraryAvailable Type = "library.available"
	TypeLibraryMissing   Type = "library.missing"
	TypeLibraryRemoved   Type = "library.removed"

	// Those of the built-in source hookarr speak of Hookarr itself.
	TypeTargetHeld    Type = "hookarr.target_held"
	TypeTargetResumed Type = "hookarr.target_resumed"
	TypeDeliveryDead  Type = "hookarr.delivery_dead"
	// TypePathsApart tells that an application's root folder reaches no library of a media
	// server, or that the path map of a target is wrong.
	TypePathsApart Type = "hookarr.paths_apart"
	// TypeSpaceLow and TypeSpaceRestored tell of the file system that Hookarr's database is on.
	TypeSpaceLow      Type = "hookarr.space_low"
	TypeSpaceRestored Type = "hookarr.space_restored"
	// TypeInstalled is told once in the life of a database.
	TypeInstalled Type = "hookarr.installed"
)

// Types returns every event type of this version, in the order of the
// documentation.
func Types() []Type {
	return []Type{
		TypeTest, TypeReleaseGrabbed, TypeMediaImported, TypeMediaUpgraded, TypeImportCompleted,
		TypeImportFailed, TypeDownloadFailed, TypeFileRenamed, TypeFileRetagged, TypeFileDeleted,
		TypeFileDeletedForUpgrade, TypeMediaAdded, TypeMediaDeleted, TypeHealthIssue,
		TypeHealthRestored, TypeAppUpdated, TypeManualInteractionRequired, TypeUnknown,
		TypeMediaUpdated, TypeLibraryAvailable, TypeLibraryMissing, TypeLibraryRemoved,
		TypeTargetHeld, TypeTargetResumed, TypeDeliveryDead, TypePathsApart, TypeSpaceLow, TypeSpaceRestored, TypeInstalled,
	}
}

// SourceHookarr is the name of the built-in source.
const SourceHookarr = "hookarr"

// Origin says how an event came to be known.
type Origin string

// The origins.
const (
	OriginWebhook Origin = "webhook"
	OriginCatchup Origin = "catchup"
	// OriginSnapshot is of events that were found by comparing what an application has
	// with what it had.
	OriginSnapshot Origin = "snapshot"
	// OriginTarget is of events that a target told.
	OriginTarget Origin = "target"
	// OriginHookarr is of events that Hookarr tells of itself.
	OriginHookarr Origin = "hookarr"
)

// Event is one thing that happened in an application, in the form that is the
// same for all of them. It is published as JSON to endpoints and plugins, which
// program against it: fields are added, never renamed or removed. A field that
// does not apply is absent. Sizes are bytes, times UTC, ids strings.
type Event struct {
	// ID, Source, Origin and Time are filled in by the SDK when a source leaves
	// them empty: the request's id, the instance's name, "webhook" and the time
	// the request was received.
	ID     string    `json:"id" doc:"Unique id of the event."`
	Source string    `json:"source" doc:"Name of the configured source."`
	Origin Origin    `json:"origin" doc:"How the event came to be known: webhook, catchup, snapshot, target or hookarr."`
	Time   time.Time `json:"time" doc:"When it happened, or when the webhook was received."`

	App        string `json:"app" doc:"The application, lower case: radarr."`
	AppVersion string `json:"app_version,omitempty" doc:"Version of the application."`
	Instance   string `json:"instance,omitempty" doc:"Name that the application gives itself."`
	Type       Type   `json:"type" doc:"What happened."`
	NativeType string `json:"native_type,omitempty" doc:"The application's own word for it."`

	Title   string `json:"title" doc:"What it happened to, in a few words."`
	Summary string `json:"summary" doc:"What happened, as one sentence for people."`
	URL     string `json:"url,omitempty" doc:"Page of the item in the application."`

	// Fingerprint is equal for a repetition of this event and for nothing else
	// within the source; empty means that repetitions cannot be told.
	Fingerprint string `json:"fingerprint,omitempty" doc:"Key of what happened, equal when it is reported again."`
	// CorrelationKey is shared by the events of one story, such as a grab and its
	// import, or a health issue and its end.
	CorrelationKey string `json:"correlation_key,omitempty" doc:"Key shared by the events of one story."`

	Media        *Media    `json:"media,omitempty" doc:"The title concerned."`
	Episodes     []Episode `json:"episodes,omitempty" doc:"Episodes concerned."`
	Albums       []Album   `json:"albums,omitempty" doc:"Albums concerned."`
	Tracks       []Track   `json:"tracks,omitempty" doc:"Tracks concerned."`
	Files        []File    `json:"files,omitempty" doc:"Files concerned."`
	DeletedFiles []File    `json:"deleted_files,omitempty" doc:"Files that were removed by it."`
	RenamedFiles []Rename  `json:"renamed_files,omitempty" doc:"Files that got another path."`
	DeleteReason string    `json:"delete_reason,omitempty" doc:"Why a file was deleted, in the application's words."`
	FilesDeleted bool      `json:"files_deleted,omitempty" doc:"The title was deleted together with its files."`
	FilesKept    bool      `json:"files_kept,omitempty" doc:"The title was deleted and its files were not."`
	AddMethod    string    `json:"add_method,omitempty" doc:"How the title was added, in the application's words."`
	Upgrade      bool      `json:"upgrade,omitempty" doc:"The import replaced files of lower quality."`
	Fields       []string  `json:"fields,omitempty" doc:"What has changed of the title, by the names of this schema."`

	Release  *Release  `json:"release,omitempty" doc:"The release concerned."`
	Download *Download `json:"download,omitempty" doc:"The download concerned."`
	Health   *Health   `json:"health,omitempty" doc:"The health check concerned."`
	Update   *Update   `json:"update,omitempty" doc:"The application's change of version."`
	Library  *Library  `json:"library,omitempty" doc:"The media server's library concerned."`
}

// Media is a movie, series, artist, scene, author or book.
type Media struct {
	Kind             string            `json:"kind" doc:"movie, series, artist, scene, author or book."`
	ID               string            `json:"id,omitempty" doc:"Id in the application; differs between its instances."`
	Title            string            `json:"title" doc:"Title."`
	Year             int               `json:"year,omitempty" doc:"Year of first release."`
	ReleaseDate      string            `json:"release_date,omitempty" doc:"Date of release, YYYY-MM-DD."`
	IDs              map[string]string `json:"ids,omitempty" doc:"Ids elsewhere by service: tmdb, imdb, tvdb, musicbrainz."`
	Path             string            `json:"path,omitempty" doc:"Folder on the application's disk."`
	Overview         string            `json:"overview,omitempty" doc:"Plot."`
	Genres           []string          `json:"genres,omitempty" doc:"Genres."`
	OriginalLanguage string            `json:"original_language,omitempty" doc:"Original language, in English."`
	Poster           string            `json:"poster,omitempty" doc:"Absolute URL of a poster."`
	Fanart           string            `json:"fanart,omitempty" doc:"Absolute URL of a background."`
	Tags             []string          `json:"tags,omitempty" doc:"Tags that the application's user gave."`
	SizeBytes        int64             `json:"size_bytes,omitempty" doc:"Size of its folder."`
	// Monitored is nil where the application does not say.
	Monitored      *bool  `json:"monitored,omitempty" doc:"The application looks for it."`
	QualityProfile string `json:"quality_profile,omitempty" doc:"Name of its quality profile."`
	AddedAt        string `json:"added_at,omitempty" doc:"When it was added to the application, RFC 3339 in UTC."`
	Certification  string `json:"certification,omitempty" doc:"Age rating: PG-13."`
	RuntimeMinutes int    `json:"runtime_minutes,omitempty" doc:"Runtime, of an episode for a series."`
}

// Episode is one episode of a series.
type Episode struct {
	ID     string `json:"id,omitempty" doc:"Id in the application."`
	Season int    `json:"season" doc:"Season; 0 holds specials."`
	// Number is nil where there is none, as for what is known by its date.
	Number   *int   `json:"number,omitempty" doc:"Number in the season; 0 is one."`
	Code     string `json:"code,omitempty" doc:"By what people know it, as in the event's title: S02E03, or a date."`
	Title    string `json:"title,omitempty" doc:"Title."`
	AirDate  string `json:"air_date,omitempty" doc:"Date of first airing, YYYY-MM-DD."`
	Overview string `json:"overview,omitempty" doc:"Plot."`
}

// Album is one album of an artist.
type Album struct {
	ID          string            `json:"id,omitempty" doc:"Id in the application."`
	Title       string            `json:"title" doc:"Title."`
	Type        string            `json:"type,omitempty" doc:"Album, single, EP and so on."`
	ReleaseDate string            `json:"release_date,omitempty" doc:"Date of release, YYYY-MM-DD."`
	IDs         map[string]string `json:"ids,omitempty" doc:"Ids elsewhere by service."`
}

// Track is one track of an album.
type Track struct {
	ID     string `json:"id,omitempty" doc:"Id in the application."`
	Number string `json:"number,omitempty" doc:"Number as printed: 1, or A1."`
	Title  string `json:"title,omitempty" doc:"Title."`
}

// File is one media file.
type File struct {
	ID             string     `json:"id,omitempty" doc:"Id in the application."`
	Path           string     `json:"path,omitempty" doc:"Full path on the application's disk."`
	RelativePath   string     `json:"relative_path,omitempty" doc:"Path inside the title's folder."`
	SizeBytes      int64      `json:"size_bytes,omitempty" doc:"Size."`
	Quality        string     `json:"quality,omitempty" doc:"Quality: Bluray-2160p."`
	Edition        string     `json:"edition,omitempty" doc:"Edition: Director's Cut."`
	Languages      []string   `json:"languages,omitempty" doc:"Languages, in English."`
	ReleaseGroup   string     `json:"release_group,omitempty" doc:"Release group."`
	SceneName      string     `json:"scene_name,omitempty" doc:"Name of the release it came from."`
	SourcePath     string     `json:"source_path,omitempty" doc:"Path it was imported from."`
	RecycleBinPath string     `json:"recycle_bin_path,omitempty" doc:"Where a deleted file was moved."`
	MediaInfo      *MediaInfo `json:"media_info,omitempty" doc:"What is in the file."`
}

// MediaInfo is what an application found in a file.
type MediaInfo struct {
	VideoCodec     string   `json:"video_codec,omitempty" doc:"Video codec."`
	Width          int      `json:"width,omitempty" doc:"Pixels."`
	Height         int      `json:"height,omitempty" doc:"Pixels."`
	DynamicRange   string   `json:"dynamic_range,omitempty" doc:"HDR10, DV and so on; absent for SDR."`
	AudioCodec     string   `json:"audio_codec,omitempty" doc:"Audio codec."`
	AudioChannels  float64  `json:"audio_channels,omitempty" doc:"Channels: 5.1."`
	AudioLanguages []string `json:"audio_languages,omitempty" doc:"ISO 639-2 codes."`
	Subtitles      []string `json:"subtitles,omitempty" doc:"ISO 639-2 codes."`
}

// Rename is the change of a file's path.
type Rename struct {
	From string `json:"from" doc:"Path before."`
	To   string `json:"to" doc:"Path after."`
}

// Release is what an indexer offered.
type Release struct {
	Title         string   `json:"title,omitempty" doc:"Name of the release."`
	Group         string   `json:"group,omitempty" doc:"Release group."`
	Indexer       string   `json:"indexer,omitempty" doc:"Indexer."`
	SizeBytes     int64    `json:"size_bytes,omitempty" doc:"Size."`
	Quality       string   `json:"quality,omitempty" doc:"Quality."`
	Languages     []string `json:"languages,omitempty" doc:"Languages, in English."`
	CustomFormats []string `json:"custom_formats,omitempty" doc:"Custom formats matched."`
	Score         int      `json:"score,omitempty" doc:"Custom format score."`
	Flags         []string `json:"flags,omitempty" doc:"Indexer flags."`
}

// Download is the download client's part of the story.
type Download struct {
	Client     string   `json:"client,omitempty" doc:"Name of the configured download client."`
	ClientType string   `json:"client_type,omitempty" doc:"Kind of download client."`
	ID         string   `json:"id,omitempty" doc:"The client's id of the download."`
	Title      string   `json:"title,omitempty" doc:"Name of the download."`
	SizeBytes  int64    `json:"size_bytes,omitempty" doc:"Size."`
	Status     string   `json:"status,omitempty" doc:"ok, warning or error."`
	Messages   []string `json:"messages,omitempty" doc:"What the application says is wrong with it."`
}

// Health is the state of one of an application's own checks.
type Health struct {
	Level   string `json:"level" doc:"notice, warning or error."`
	Check   string `json:"check" doc:"Stable name of the check."`
	Message string `json:"message" doc:"What is wrong, in the application's language."`
	WikiURL string `json:"wiki_url,omitempty" doc:"Page that explains it."`
}

// Update is an application's change of version.
type Update struct {
	From    string `json:"from,omitempty" doc:"Version before."`
	To      string `json:"to,omitempty" doc:"Version after."`
	Message string `json:"message,omitempty" doc:"The application's words."`
}

// Library is where a media server keeps a title.
type Library struct {
	Target string `json:"target" doc:"Name of the configured target."`
	Server string `json:"server" doc:"The media server: Plex."`
	Name   string `json:"name,omitempty" doc:"The server's name of the library."`
	ItemID string `json:"item_id,omitempty" doc:"The server's id of the title."`
	URL    string `json:"url,omitempty" doc:"Page of the title on the server."`
}
