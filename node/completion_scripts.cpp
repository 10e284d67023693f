#include "node/completion.hpp"

namespace troupe::node {

namespace {

/// A text between single quotes, for any of the three shells.
std::string quoted(const std::string& text, shell of) {
  std::string out = "'";
  for (auto c : text) {
    if (c == '\'')
      out += of == shell::fish ? "\\'" : "'\\''";
    else if (c == '\\' && of == shell::fish)
      out += "\\\\";
    else
      out += c;
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (auto& x : words)
    all += (all.empty() ? "" : " ") + x;
  return all;
}

std::string words_of(const completion_verb& x) {
  std::vector<std::string> all;
  for (auto& word : x.words)
    all.push_back(word.text);
  return joined(all);
}

/// A function of bash and zsh: whether its argument is one of these verbs.
template <class Wanted>
std::string test_of(const char* name, const std::vector<completion_verb>& all, Wanted wanted) {
  std::string cases;
  for (auto& x : all)
    if (wanted(x))
      cases += (cases.empty() ? "" : "|") + quoted(x.path, shell::bash);
  return std::string{name} + "() {\n  case \"$1\" in\n    " + cases
         + ") return 0 ;;\n  esac\n  return 1\n}\n\n";
}

/// The options of all verbs that take something: `PATH OPTION` → what.
template <class Tell>
std::string each_value(const std::vector<completion_verb>& all, Tell tell) {
  std::string lines;
  for (auto& verb : all)
    for (auto& word : verb.words)
      if (word.is_option && word.takes_value)
        lines += tell(verb, word);
  return lines;
}

/// bash and zsh: which words follow which verb, in two functions.
std::string posix_tables(const std::vector<completion_verb>& all) {
  std::string text = "__troupe_words() {\n  case \"$1\" in\n";
  for (auto& x : all)
    text += "    " + quoted(x.path, shell::bash) + ") echo " + quoted(words_of(x), shell::bash)
            + " ;;\n";
  text += "  esac\n}\n\n__troupe_value() {\n  case \"$1\" in\n";
  text += each_value(all, [](auto& verb, auto& word) {
    auto what = !word.values.empty() ? joined(word.values) : word.takes_path ? "@file" : "@any";
    return "    " + quoted(verb.path + " " + word.text, shell::bash) + ") echo "
           + quoted(what, shell::bash) + " ;;\n";
  });
  text += "  esac\n}\n\n";
  text += test_of("__troupe_takes_files", all, [](auto& x) { return x.takes_files; });
  return text + test_of("__troupe_is_verb", all, [](auto&) { return true; });
}

constexpr auto bash_function = R"sh(_troupe() {
  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" verb=troupe i
  if [[ $current == = ]]; then # `--name=value` comes as three words.
    current=
  elif [[ $before == = ]]; then
    before="${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    __troupe_is_verb "$verb ${COMP_WORDS[i]}" && verb="$verb ${COMP_WORDS[i]}"
  done
  local value
  value=$(__troupe_value "$verb $before")
  case "$value" in
    '') COMPREPLY=($(compgen -W "$(__troupe_words "$verb")" -- "$current"))
        [[ $current == -* ]] || ! __troupe_takes_files "$verb" || COMPREPLY+=($(compgen -f -- "$current")) ;;
    @file) COMPREPLY=($(compgen -f -- "$current")) ;;
    @any) COMPREPLY=() ;;
    *) COMPREPLY=($(compgen -W "$value" -- "$current")) ;;
  esac
}
complete -o filenames -F _troupe troupe
)sh";

constexpr auto zsh_function = R"sh(_troupe() {
  local verb=troupe value i before="${words[CURRENT-1]}"
  if [[ ${words[CURRENT]} == --*=* ]]; then
    before="${words[CURRENT]%%=*}"
    compset -P '*='
  fi
  for ((i = 2; i < CURRENT; i++)); do
    __troupe_is_verb "$verb ${words[i]}" && verb="$verb ${words[i]}"
  done
  value=$(__troupe_value "$verb $before")
  case "$value" in
    '') compadd -- $(__troupe_words "$verb")
        [[ ${words[CURRENT]} == -* ]] || ! __troupe_takes_files "$verb" || _files ;;
    @file) _files ;;
    @any) ;;
    *) compadd -- ${=value} ;;
  esac
}
# As a file of $fpath this is the body of _troupe, and runs when it is wanted first.
if [[ $funcstack[1] == _troupe ]]; then
  _troupe "$@"
else
  compdef _troupe troupe
fi
)sh";

constexpr auto fish_function = R"sh(function __troupe_verb
  set -l verb troupe
  for word in (commandline -opc)[2..-1]
    if contains -- "$verb $word" $__troupe_verbs
      set verb "$verb $word"
    end
  end
  echo $verb
end
)sh";

/// What holds behind a verb.
std::string fish_line(const completion_verb& verb) {
  return "complete -c troupe -n "
         + quoted("test (__troupe_verb) = \"" + verb.path + "\"", shell::fish);
}

std::string fish_word(const completion_verb& verb, const completion_word& word) {
  auto line = fish_line(verb);
  if (!word.is_option)
    line += " -f -a " + quoted(word.text, shell::fish);
  else if (word.text.starts_with("--"))
    line += " -l " + word.text.substr(2);
  else
    line += " -s " + word.text.substr(1);
  if (word.takes_value)
    line += word.values.empty() ? (word.takes_path ? " -r -F" : " -x")
                                : " -x -a " + quoted(joined(word.values), shell::fish);
  return line + " -d " + quoted(word.about, shell::fish) + "\n";
}

std::string fish_script(const std::vector<completion_verb>& all) {
  std::string text = "set -g __troupe_verbs";
  for (auto& x : all)
    text += " " + quoted(x.path, shell::fish);
  text += "\n" + std::string{fish_function};
  for (auto& verb : all) {
    if (!verb.takes_files)
      text += fish_line(verb) + " -f\n";
    for (auto& word : verb.words)
      text += fish_word(verb, word);
  }
  return text;
}

} // namespace

std::string completion_script(shell of, const std::vector<completion_verb>& verbs) {
  switch (of) {
  case shell::bash: return "# bash completion for troupe\n" + posix_tables(verbs) + bash_function;
  case shell::zsh: return "#compdef troupe\n" + posix_tables(verbs) + zsh_function;
  case shell::fish: break;
  }
  return "# fish completion for troupe\n" + fish_script(verbs);
}

} // namespace troupe::node
