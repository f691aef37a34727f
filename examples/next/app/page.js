import TaggerView from './tagger';

export default function Page() {
  return <TaggerView />;
}
