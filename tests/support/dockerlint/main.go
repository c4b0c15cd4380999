// Command dockerlint says what BuildKit and Compose themselves think of our files, without an
// engine and without a network.
//
//	dockerlint dockerfile FILE    BuildKit's checks, one a line; exit code 1 if there is one
//	dockerlint compose FILE       Compose's loader and schema; prints the project as JSON
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	digest "github.com/opencontainers/go-digest"
)

func main() {
	checks := map[string]func(string) (int, error){"dockerfile": dockerfile, "compose": compose}
	if len(os.Args) != 3 || checks[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "dockerlint dockerfile|compose FILE")
		os.Exit(2)
	}
	found, err := checks[os.Args[1]](os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if found > 0 {
		os.Exit(1)
	}
}

// offline answers for every base image that nothing is known of it, so that no registry is asked.
type offline struct{}

func (offline) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte(`{"architecture":"amd64","os":"linux","config":{}}`), nil
}

func dockerfile(file string) (int, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	results, err := dockerfile2llb.DockerfileLint(context.Background(), content, dockerfile2llb.ConvertOpt{
		SourceMap:    &llb.SourceMap{Filename: file, Language: "Dockerfile", Data: content, Definition: &llb.Definition{}},
		MetaResolver: offline{},
	})
	if err != nil {
		return 0, err
	}
	if results.Error != nil {
		return 0, fmt.Errorf("%s: %s", file, results.Error.Message)
	}
	for _, warning := range results.Warnings {
		line := int32(0)
		if ranges := warning.Location.GetRanges(); len(ranges) > 0 {
			line = ranges[0].Start.Line
		}
		fmt.Printf("%s:%d: %s: %s\n", file, line, warning.RuleName, warning.Detail)
	}
	return len(results.Warnings), nil
}

func compose(file string) (int, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithProfiles([]string{"*"}), cli.WithName("tocsin"))
	if err != nil {
		return 0, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return 0, err
	}
	return 0, json.NewEncoder(os.Stdout).Encode(project)
}
