// The package's folder lies in the extension as ocelli/: extensions run no code from elsewhere.
chrome.action.onClicked.addListener(() => chrome.tabs.create({ url: 'page.html' }));
