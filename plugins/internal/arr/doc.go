// Package arr decodes what the webhooks of all Arr applications have in common:
// Radarr, Sonarr, Lidarr and Whisparr build them with the same serializer from
// classes that were copied from one to the next.
//
// The applications change their webhooks in minor releases and people run versions
// that are years old. Decoding is therefore tolerant: an unknown field is skipped, a
// field of an unexpected type is left out, and only a body that is not a JSON
// object or belongs to another application is refused.
package arr
