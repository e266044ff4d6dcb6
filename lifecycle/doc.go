// Package lifecycle holds the words that kiban is written in: Site, State, Plan, Step, Gate, Event, Diagnostic.
//
// It is vocabulary only: no I/O, nothing but the standard library. Everything else is a verb between these nouns:
//
//	overlays/<site> --kustomize--> Site --observe hosts + API--> State --pure diff--> Plan
//	Plan --apply: gate, do, verify--> Events --render--> people
//
// A function stands here when packages that may not know each other must agree on what it says: how a field's path is written
// (FieldKey, SplitField, DiffFields), when two reasons for a wait mean the same (Gist, Waiting), how foreign text is made harmless
// (Markdown, OneLine), whether a cluster is the site's (OtherCluster). What one package alone needs is that package's.
package lifecycle
